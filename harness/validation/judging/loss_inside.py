"""What computes a loss over a sequence, with its gradients: judged by what holds for every such loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rnn_harness.errors import UsageError
from rnn_harness.records.events import RecordMade, TargetDiagnosed, TargetIdentified, ValidationEvent
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.cells.loss_function import LossFunction
from rnn_harness.validation.consistency.loss_properties import loss_questions
from rnn_harness.validation.consistency.question import AskedCell, answers
from rnn_harness.validation.judging.describe import identification_check, identification_record
from rnn_harness.validation.judging.expected_failures import mark_expected
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target
from rnn_harness.validation.loading.torch_losses import torch_loss
from rnn_harness.validation.request import ValidationRequest


def torch_loss_of_target(target: Target) -> LossFunction | None:
    """Return the loss that a torch module gives for inputs and targets; None where it gives none.

    Args:
        target: The target, which can be driven neither as a cell nor as a model.
    """
    if target.capabilities.library is not None or target.capabilities.device != "cpu":
        return None
    sizes = target.capabilities.fixed_sizes or TRIAL_SIZES
    return torch_loss(target.name.rpartition(":")[2], target.make_module(*sizes))


def judge_loss(name: str, loss: LossFunction, request: ValidationRequest) -> Iterator[ValidationEvent]:
    """Judge a loss; what its recurrent cell is, is not told.

    Args:
        name: The target's name.
        loss: The loss, and how it is called.
        request: What is asked for.

    Raises:
        UsageError: It is asked for as a cell of a spec.
    """
    if request.spec != "auto" or request.map is not None:
        raise UsageError(f"{name} {loss.gives}: --spec and --map are about cells")
    if "float64" not in request.dtypes:
        raise UsageError(f"{name} {loss.gives}, which is judged in float64 alone: leave --dtype out")
    judged = "its gradients and its state are" if loss.state_shapes else "its gradients are"
    reason = f"{loss.text} {loss.gives}: {judged} judged, and not what its cell is"
    yield RecordMade(identification_check(name, request, "unknown", Outcome.NOT_RUN, reason))
    yield TargetIdentified(identification_record(()))
    yield from _answers_about(name, loss, request)


def with_loss_beside(
    events: Iterable[ValidationEvent], target: Target, request: ValidationRequest
) -> Iterator[ValidationEvent]:
    """Yield the events of a cell, then the checks of the loss that another method of its class computes.

    Args:
        events: What was found of the cell.
        target: The cell.
        request: What is asked for.
    """
    is_diagnosed = False
    for event in events:
        is_diagnosed |= isinstance(event, TargetDiagnosed)
        yield event
    loss = target.capabilities.loss_beside
    if loss is None or "float64" not in request.dtypes:
        return
    for event in _answers_about(target.name, loss, request):
        if not (is_diagnosed and isinstance(event, TargetDiagnosed)):
            yield event


def _answers_about(name: str, loss: LossFunction, request: ValidationRequest) -> Iterator[ValidationEvent]:
    """Judge a loss by what holds for every loss."""
    asked = AskedCell(name, "unknown", "a function of sequences", "float64", request.seed)
    for answer in answers(loss_questions(loss), asked):
        for marked in mark_expected((answer.record,), request.expected):
            yield RecordMade(marked)
            if answer.diagnosis is not None and not marked.expected:
                yield TargetDiagnosed(answer.diagnosis)
