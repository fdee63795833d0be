"""What cannot be driven as a cell, is no function of its arguments, or is no known cell may be a model around cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rnn_harness.errors import UsageError
from rnn_harness.records.events import RecordMade, TargetDiagnosed, TargetIdentified, ValidationEvent
from rnn_harness.records.validation import WIRING_CHECKS, Diagnosis, outcome_of
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.judging.describe import identification_check, identification_record
from rnn_harness.validation.judging.kept_state import kept_state
from rnn_harness.validation.judging.loss_inside import judge_loss, torch_loss_of_target
from rnn_harness.validation.judging.unidentified import consistency_events, with_consistency
from rnn_harness.validation.loading.fresh_state import with_fresh_state
from rnn_harness.validation.loading.inputs_of_head import target_of_head_inputs, target_of_joined_inputs
from rnn_harness.validation.loading.method_of_module import target_of_step_method
from rnn_harness.validation.loading.stream_of_steps import as_stream_of_steps
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.loading.vectors_for_tokens import target_of_vectors
from rnn_harness.validation.loading.wider_outputs import target_of_wider_outputs
from rnn_harness.validation.models.judge_model import judge_model
from rnn_harness.validation.models.judge_parts import JudgeTarget
from rnn_harness.validation.models.understand import model_of, understood_model
from rnn_harness.validation.request import Listener, ValidationRequest


def judge_undriven(
    target: Target, error: UsageError, request: ValidationRequest, listener: Listener, judge_target: JudgeTarget
) -> Iterator[ValidationEvent]:
    """Judge as a stream of steps, as a model or by its loss what cannot be driven as a cell.

    Args:
        target: The target, which no way of calling fits.
        error: Why it cannot be driven.
        request: What is asked for.
        listener: Who follows the progress.
        judge_target: Judges one target as a cell.

    Raises:
        UsageError: It is no model either.
    """
    stream = _stream_of_steps(target)
    if stream is not None:
        yield from _judge_stream(stream, request, listener, judge_target)
        return
    try:
        model = understood_model(target, error)
    except UsageError:
        loss = torch_loss_of_target(target)
        if loss is not None:
            yield from judge_loss(target.name, loss, request)
            return
        joined = target_of_joined_inputs(target)
        driven = target_of_head_inputs(target) or (target_of_head_inputs(joined) if joined is not None else None)
        driven = driven or target_of_wider_outputs(target) or target_of_step_method(target)
        if driven is None:
            raise
        yield from judge_target(driven, request, listener)
    else:
        # Where no layer is known to carry a state, the gradients of its loss say more.
        loss = None if model.parts else torch_loss_of_target(target)
        if loss is not None:
            yield from judge_loss(target.name, loss, request)
            return
        of_vectors = None if model.parts else target_of_vectors(target)
        if of_vectors is not None:
            yield from judge_target(target_of_head_inputs(of_vectors) or of_vectors, request, listener)
            return
        events = list(judge_model(model, request, listener, judge_target))
        yield from events
        is_of_own_cells = bool(model.user_parts) and len(model.parts) == len(model.user_parts)
        if (
            is_of_own_cells
            and outcome_of(event.record for event in events if isinstance(event, RecordMade)) == "agrees"
        ):
            wider = target_of_wider_outputs(target)
            yield from consistency_events(wider, probe_target(wider), request) if wider is not None else ()


def judge_held_parts(
    target: Target, request: ValidationRequest, listener: Listener, judge_target: JudgeTarget
) -> Iterator[ValidationEvent]:
    """Judge a model of another library than torch, which says what its recurrent parts are.

    Args:
        target: The target, whose module holds its parts.
        request: What is asked for.
        listener: Who follows the progress.
        judge_target: Judges one target as a cell.

    Raises:
        UsageError: It cannot be called, or it is asked for as one cell.
    """
    if request.spec != "auto" or request.map is not None:
        raise UsageError(
            f"{target.name} is a model of several recurrent parts; --spec and --map are about one cell: hand in a part"
        )
    refused = UsageError(f"{target.name} is a model of recurrent parts.")
    yield from judge_model(understood_model(target, refused), request, listener, judge_target)


def events_of_silent_parts(
    target: Target, unused: Sequence[str], request: ValidationRequest, listener: Listener, judge_target: JudgeTarget
) -> list[ValidationEvent]:
    """Judge as a model what equals a cell with one of its recurrent parts, and calls another without any effect there.

    The outputs of a stack may be those of its first layer.

    Args:
        target: The target, which was identified as a cell.
        unused: Its parameters without influence on what a cell gives.
        request: What is asked for.
        listener: Who follows the progress.
        judge_target: Judges one target as a cell.

    Returns:
        The events; none where every recurrent part that is called has an influence, or a spec is asked for.
    """
    if not unused or request.spec != "auto" or request.map is not None:
        return []
    model = model_of(target)
    if model is None:
        return []
    names = [name for name, _ in model.module.named_parameters()]
    silent = [
        part
        for part in model.with_numbers(0).called_parts
        if part.name and {name for name in names if name.startswith(f"{part.name}.")} <= {*unused}
    ]
    return list(judge_model(model, request, listener, judge_target)) if silent else []


@dataclass(frozen=True)
class _Stream:
    """A target that keeps its state between calls for a stream, and what is wrong with keeping it."""

    target: Target
    fault: Diagnosis | None


def _stream(target: Target | None) -> _Stream | None:
    """The target as one that keeps its state for a stream; None where it does not."""
    kept = kept_state(target) if target is not None else None
    return _Stream(target, kept.fault) if target is not None and kept is not None and kept.is_for_a_stream else None


def _stream_of_steps(target: Target) -> _Stream | None:
    """The target as one that is called once a step; None where it is not.

    What mixes the rows of a batch then takes them for something else, the steps of one sequence say.
    """
    stream = _stream(as_stream_of_steps(target))
    if stream is None or not probe_target(with_fresh_state(stream.target)).rows_are_apart():
        return None
    return stream


def _judge_stream(
    stream: _Stream, request: ValidationRequest, listener: Listener, judge_target: JudgeTarget
) -> Iterator[ValidationEvent]:
    """Refute a state that is kept in a wrong way; else judge the cell from a new state."""
    if stream.fault is not None:
        yield from _refuted(stream.target, stream.fault, request)
    else:
        yield from judge_target(with_fresh_state(stream.target), request, listener)


def _refuted(target: Target, diagnosis: Diagnosis, request: ValidationRequest) -> Iterator[ValidationEvent]:
    """Refute what is no function of its arguments."""
    yield RecordMade(identification_check(target.name, request, "unknown", Outcome.REFUTED, diagnosis.difference))
    yield TargetDiagnosed(diagnosis)


def judge_no_function(
    target: Target, diagnosis: Diagnosis, request: ValidationRequest, listener: Listener, judge_target: JudgeTarget
) -> Iterator[ValidationEvent]:
    """Judge what is no function of its arguments as a cell; a model may keep a state between calls.

    Args:
        target: The target, which is called as a cell.
        diagnosis: Why it is no function of its arguments.
        request: What is asked for.
        listener: Who follows the progress.
        judge_target: Judges one target as a cell.
    """
    is_of_models = diagnosis.part in ("behaviour: determinism", "behaviour: position")
    model = model_of(target) if is_of_models else None
    events = list(judge_model(model, request, listener, judge_target)) if model is not None else []
    records = [event.record for event in events if isinstance(event, RecordMade)]
    keeps_state = any(record.check == f"{WIRING_CHECKS}kept-state" for record in records)
    is_explained = keeps_state and diagnosis.part == "behaviour: determinism"
    if is_explained or any(record.outcome is Outcome.REFUTED for record in records):
        yield from events
        return
    is_repeated = diagnosis.part == "behaviour: determinism"
    stream = (_stream(target) or _stream_of_steps(target)) if is_repeated else None
    if stream is None:
        yield from _refuted(target, diagnosis, request)
    else:
        yield from _judge_stream(stream, request, listener, judge_target)


def judge_unknown_parameters(
    target: Target,
    probe: Probe,
    error: UsageError,
    request: ValidationRequest,
    listener: Listener,
    judge_target: JudgeTarget,
) -> Iterator[ValidationEvent]:
    """Judge what has the parameters of no known cell, as a model or without equations.

    Args:
        target: The target, whose parameters fit no layout of gates.
        probe: How it is driven.
        error: What it says of its parameters.
        request: What is asked for.
        listener: Who follows the progress.
        judge_target: Judges one target as a cell.
    """
    if events := events_of_model(target, probe, request, listener, judge_target):
        yield from events
        return
    reason = "; ".join((str(error), *target.capabilities.notes))
    unknown = identification_check(target.name, request, "unknown", Outcome.NOT_RUN, reason)
    yield TargetIdentified(identification_record(()))
    yield from with_consistency(target, probe, request, [RecordMade(unknown)])


def events_of_model(
    target: Target, probe: Probe, request: ValidationRequest, listener: Listener, judge_target: JudgeTarget
) -> list[ValidationEvent]:
    """Judge as a model what is driven as a cell and equals no known one.

    Args:
        target: The target, which was identified as nothing.
        probe: How it is driven.
        request: What is asked for.
        listener: Who follows the progress.
        judge_target: Judges one target as a cell.

    Returns:
        The events, with those of what every recurrent cell must do, since its outputs may be something else than what
        its parts give; none where it is no model, or is undecided as one.
    """
    model = model_of(target) if request.spec == "auto" and request.map is None else None
    if model is None:
        return []
    events = list(judge_model(model, request, listener, judge_target))
    verdict = outcome_of(event.record for event in events if isinstance(event, RecordMade))
    if verdict == "agrees":
        events += consistency_events(target, probe, request)
    return events if verdict != "undecided" else []
