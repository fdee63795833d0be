"""A model from its target to a verdict: its recurrent parts are judged as cells, and the wiring between them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rnn_harness.errors import first_line
from rnn_harness.records.events import ModelDescribed, PhaseStarted, RecordMade, TargetDiagnosed, ValidationEvent
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.validation import WIRING_CHECKS, Diagnosis, ModelRecord
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.models.check_arguments import check_arguments
from rnn_harness.validation.models.check_batches import check_batches
from rnn_harness.validation.models.check_cells import check_cells
from rnn_harness.validation.models.check_directions import check_directions, check_layers
from rnn_harness.validation.models.check_documented_outputs import check_documented_outputs
from rnn_harness.validation.models.check_documented_shapes import check_documented_shapes
from rnn_harness.validation.models.check_gradients import check_gradients
from rnn_harness.validation.models.check_handed_states import check_handed_states
from rnn_harness.validation.models.check_influence import check_influence
from rnn_harness.validation.models.check_lengths import check_lengths
from rnn_harness.validation.models.check_masks import check_masks
from rnn_harness.validation.models.check_padding_token import check_padding_token
from rnn_harness.validation.models.check_parameters import check_parameters
from rnn_harness.validation.models.check_randomness import check_randomness
from rnn_harness.validation.models.check_resets import check_resets
from rnn_harness.validation.models.check_returned_states import check_returned_states
from rnn_harness.validation.models.check_rows import check_rows
from rnn_harness.validation.models.check_scores import check_scores
from rnn_harness.validation.models.check_sharing import check_calls, check_shared_directions, check_sharing
from rnn_harness.validation.models.check_states import check_given_state, check_kept_state
from rnn_harness.validation.models.check_time import check_time
from rnn_harness.validation.models.check_two_calls import check_two_calls
from rnn_harness.validation.models.describe_wiring import wiring_in_words
from rnn_harness.validation.models.judge_parts import JudgeTarget, PartJudge
from rnn_harness.validation.models.statement import WiringStatement, not_run
from rnn_harness.validation.models.torch_layer_wiring import check_torch_layers
from rnn_harness.validation.models.under_test import ModelUnderTest
from rnn_harness.validation.models.understand import UnderstoodModel
from rnn_harness.validation.request import Listener, ValidationRequest

WiringCheck = Callable[[ModelUnderTest], Iterator[WiringStatement]]
_FOR_ANY: tuple[WiringCheck, ...] = (
    check_randomness,
    check_kept_state,
    check_sharing,
    check_calls,
    check_shared_directions,
)
_FOR_DETERMINISTIC: tuple[WiringCheck, ...] = (
    check_rows,
    check_time,
    check_directions,
    check_layers,
    check_cells,
    check_handed_states,
    check_given_state,
    check_returned_states,
    check_influence,
    check_parameters,
    check_scores,
    check_documented_shapes,
    check_documented_outputs,
    check_arguments,
    check_resets,
    check_lengths,
    check_masks,
    check_padding_token,
    check_torch_layers,
    check_gradients,
    check_batches,
    check_two_calls,
)
WIRING_CHECKS_BY_NAME: dict[str, WiringCheck] = {
    "evaluation": check_randomness,
    "kept-state": check_kept_state,
    "sharing": check_sharing,
    "calls": check_calls,
    "shared-directions": check_shared_directions,
    "rows": check_rows,
    "time": check_time,
    "directions": check_directions,
    "layers": check_layers,
    "carried-state": check_cells,
    "handed-states": check_handed_states,
    "given-state": check_given_state,
    "returned-state": check_returned_states,
    "influence": check_influence,
    "parameters": check_parameters,
    "scores": check_scores,
    "documented-shapes": check_documented_shapes,
    "documented-outputs": check_documented_outputs,
    "arguments": check_arguments,
    "reset": check_resets,
    "lengths": check_lengths,
    "masks": check_masks,
    "padding-token": check_padding_token,
    "torch-layers": check_torch_layers,
    "gradients": check_gradients,
    "batches": check_batches,
    "two-calls": check_two_calls,
}
"""Which check makes the records of a name after ``wiring.``; `check_cells` speaks of directions, too."""
_NO_WIRING = (
    "evaluation",
    "gradients",
    "torch-layers",
    "layers",
    "arguments",
    "batches",
    "two-calls",
    "scores",
    "documented-shapes",
    "documented-outputs",
    "masks",
)
"""What agrees of these checks says nothing about what is connected with what."""
SEEDS = (0, 1)
"""What refutes a model must do so with two draws of its parameters: one may silence a rectifier."""


def judge_model(
    model: UnderstoodModel, request: ValidationRequest, listener: Listener, judge_target: JudgeTarget
) -> Iterator[ValidationEvent]:
    """Judge a model.

    Args:
        model: The model, with what is known of how it is called.
        request: What is asked for.
        listener: Who follows the progress.
        judge_target: Judges one target as a cell.

    Yields:
        The records of the wiring and of every part, what is wrong, and a description of the model.
    """
    name = model.target.name
    listener.on_start(PhaseStarted(f"{name}: how is it wired?"))
    statements = wiring_statements(model)
    for record in _records(model, request, statements):
        yield RecordMade(record)
    wrong = next((statement for statement in statements if statement.outcome is Outcome.REFUTED), None)
    if wrong is not None:
        part = f"wiring: {wrong.part}" if wrong.part else f"wiring: {wrong.check}"
        yield TargetDiagnosed(Diagnosis(spec="its parts, each by itself", part=part, difference=wrong.sentence))
    judge = PartJudge(model, request, listener)
    yield from judge.events(judge_target)
    words = [*wiring_in_words(model.with_numbers(SEEDS[0])), *_words(statements)]
    yield ModelDescribed(ModelRecord(parts=tuple(judge.judged), wiring=tuple(dict.fromkeys(words))))


def wiring_statements(model: UnderstoodModel) -> list[WiringStatement]:
    """Make every statement about the wiring of a model; what is refuted is so with all draws of its parameters.

    Args:
        model: The model and arguments that it takes; its parameters are drawn anew from each seed.
    """
    first = model.with_numbers(SEEDS[0])
    statements = list(itertools.chain.from_iterable(_decided(check, first) for check in _FOR_ANY))
    is_random = any(s.check == "evaluation" and s.outcome is not Outcome.AGREES for s in statements)
    checks = () if is_random else _FOR_DETERMINISTIC
    statements += itertools.chain.from_iterable(_decided(check, first) for check in checks)
    if not any(statement.outcome is Outcome.REFUTED for statement in statements):
        return statements
    second = model.with_numbers(SEEDS[1])
    again = {
        (statement.check, statement.part)
        for check in (*_FOR_ANY, *checks)
        for statement in _decided(check, second)
        if statement.outcome is Outcome.REFUTED
    }
    return [
        replace(s, outcome=Outcome.NOT_RUN) if s.outcome is Outcome.REFUTED and (s.check, s.part) not in again else s
        for s in statements
    ]


def _decided(check: WiringCheck, model: ModelUnderTest) -> list[WiringStatement]:
    """The statements of one check; what goes wrong on the way says nothing about the model."""
    try:
        return list(check(model))
    except Exception as error:
        name = check.__name__.removeprefix("check_").replace("_", "-")
        return [not_run(name, f"not decided: {type(error).__name__}: {first_line(error)}")]


def _records(
    model: UnderstoodModel, request: ValidationRequest, statements: Sequence[WiringStatement]
) -> Iterator[Record]:
    """Yield one record for each check and part."""
    by_check: dict[tuple[str, str], list[WiringStatement]] = {}
    for statement in statements:
        by_check.setdefault((statement.check, statement.part), []).append(statement)
    for (check, part), group in by_check.items():
        outcomes = [statement.outcome for statement in group]
        worst = next((o for o in (Outcome.REFUTED, Outcome.NOT_RUN) if o in outcomes), Outcome.AGREES)
        yield Record(
            entry=part or "model",
            spec="unknown",
            check=f"{WIRING_CHECKS}{check}",
            witness="kernel",
            outcome=worst,
            reason="; ".join(statement.sentence for statement in group if statement.outcome is worst),
            examples=1,
            seed=request.seed,
            environment=versions(),
            kernel=model.target.name,
            dtype=str(model.dtype).removeprefix("torch."),
            device="cpu",
        )


def _words(statements: Sequence[WiringStatement]) -> Iterator[str]:
    """Yield what was seen of the wiring, in words."""
    for statement in statements:
        if statement.outcome is Outcome.AGREES and statement.check not in _NO_WIRING:
            yield statement.sentence
