"""Is a candidate right? What it is, then every check of a kernel on the candidate; then what is wrong with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from rnn_harness.errors import NotRun, UsageError
from rnn_harness.kernels import Kernel
from rnn_harness.records.events import (
    CounterexampleFound,
    PhaseStarted,
    RecordMade,
    TargetDiagnosed,
    TargetIdentified,
    ValidationEvent,
)
from rnn_harness.records.record import Record
from rnn_harness.records.validation import Diagnosis, IdentificationRecord
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.target_call import is_raised_by_target
from rnn_harness.specs import Spec
from rnn_harness.validation.consistency.identified_cell import judge_identified
from rnn_harness.validation.consistency.question import Answer, first_diagnosis, precise_diagnosis
from rnn_harness.validation.diagnosis.localise import localise_fault
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.identify import identify, target_layouts
from rnn_harness.validation.identification.output_readings import first_reading
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.identification.saved_map import load_map
from rnn_harness.validation.identification.state_order import (
    SENTENCE,
    find_wrongly_carried,
    is_the_callers_affair,
    with_exchanged_states,
)
from rnn_harness.validation.judging.as_model import (
    events_of_model,
    events_of_silent_parts,
    judge_held_parts,
    judge_no_function,
    judge_undriven,
    judge_unknown_parameters,
)
from rnn_harness.validation.judging.borrowed_names import note_on_names
from rnn_harness.validation.judging.candidate_judge import CandidateJudge, judge_case
from rnn_harness.validation.judging.candidate_kernel import candidate_kernel
from rnn_harness.validation.judging.describe import identification_check, identification_record
from rnn_harness.validation.judging.expected_failures import PREFIX, mark_expected, unmet_expectations
from rnn_harness.validation.judging.function_accuracy import wider_kernels
from rnn_harness.validation.judging.function_checks import diagnose_no_function
from rnn_harness.validation.judging.in_space import judge_in_space
from rnn_harness.validation.judging.kept_state import judge_state_between_calls
from rnn_harness.validation.judging.library_match import wanted_spec_of_joined_states
from rnn_harness.validation.judging.loss_inside import judge_loss, with_loss_beside
from rnn_harness.validation.judging.mismatch import Mismatch, judge_mismatch
from rnn_harness.validation.judging.near_cell import judge_near_cell, near_cell, nearest_cell
from rnn_harness.validation.judging.observed_habits import probe_in_own_format, with_observed_habits
from rnn_harness.validation.judging.output_beside_states import note_on_output
from rnn_harness.validation.judging.own_specs import definition_of, spec_without_reference
from rnn_harness.validation.judging.positive_parameters import with_positive_kept
from rnn_harness.validation.judging.refused_dtypes import observed_target, records_of_refused_dtypes
from rnn_harness.validation.judging.rows_of_vectors import note_on_rows
from rnn_harness.validation.judging.spec_file import (
    SpecCandidate,
    library_candidate,
    spec_file_candidate,
    spec_map_candidate,
)
from rnn_harness.validation.judging.trained_weights import load_weights, weights_check
from rnn_harness.validation.judging.unidentified import events_of_untied, with_consistency
from rnn_harness.validation.judging.wanted_cell import matches_of_map, wanted_cell
from rnn_harness.validation.loading.inputs_of_head import target_of_head_inputs
from rnn_harness.validation.loading.layout_faults import WrongLayout
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.reproduction.smallest import smallest_counterexample
from rnn_harness.validation.request import Listener, ValidationRequest
from rnn_harness.validation.returned_numbers import GeneratedFrom, returned_numbers
from rnn_harness.validation.spec_search.saved_spec_map import load_spec_map, to_spec_map_file


def run_validation(
    target: Target, request: ValidationRequest | None = None, listener: Listener | None = None
) -> Iterator[ValidationEvent]:
    """Decide in this process what a target is and whether it is right.

    Args:
        target: The candidate.
        request: What is asked for; its `target` and `adapter` are not read.
        listener: Who follows the progress.

    Yields:
        The events, as they happen.

    Raises:
        UsageError: The target cannot be driven, or nothing can be compared with it.
    """
    request = request or ValidationRequest()
    records: list[Record] = []
    for event in judge_target(target, request, listener):
        if isinstance(event, RecordMade):
            records.append(event.record)
        yield event
    for record in unmet_expectations(records, request.expected, target.name, request.seed):
        yield RecordMade(record)


def judge_target(
    target: Target, request: ValidationRequest, listener: Listener | None = None
) -> Iterator[ValidationEvent]:
    """Yield the events of `run_validation`, but for expected failures that did not happen.

    Whether one happened can be said only when all dtypes are judged, which several processes may do.

    Args:
        target: The target, loaded in this process.
        request: What was asked for.
        listener: Told of every phase that begins and of every case; None for nobody.
    """
    listener = listener or Listener()
    listener.on_start(PhaseStarted(f"{target.name}: what is it?"))
    try:
        spec = spec_without_reference(request.spec)
        saved = load_spec_map(request.map) if request.map is not None else None
        if target.capabilities.loss is not None:
            yield from judge_loss(target.name, target.capabilities.loss, request)
        elif target.capabilities.has_parts:
            yield from judge_held_parts(target, request, listener, judge_target)
        elif saved is not None:
            candidate = spec_map_candidate(target, saved, request.spec, request.dtypes)
            yield from _judge_spec_candidate(candidate, request, listener)
        elif spec is not None:
            yield from with_loss_beside(_judge_by_equations(target, spec, request, listener), target, request)
        elif target.in_space is not None and request.spec == "auto" and request.map is None:
            yield from judge_in_space(target, target.in_space, request, listener, _judge_callable)
        else:
            yield from with_loss_beside(_judge_callable(target, request, listener), target, request)
    except WrongLayout as fault:
        diagnosis = Diagnosis(spec="a recurrent layer", part="forward: layout of the outputs", difference=str(fault))
        record = identification_check(target.name, request, "unknown", Outcome.REFUTED, str(fault))
        yield from (RecordMade(marked) for marked in mark_expected((record,), request.expected))
        yield TargetDiagnosed(diagnosis)


def _judge_by_equations(
    target: Target, spec: Spec, request: ValidationRequest, listener: Listener
) -> Iterator[ValidationEvent]:
    """Judge a target by the equations of a spec without a reference."""
    try:
        candidate = spec_file_candidate(target, spec, request.dtypes)
    except UsageError as untied:
        yield from events_of_untied(target, request, untied)
    else:
        yield from _judge_spec_candidate(candidate, request, listener)


def _judge_callable(target: Target, request: ValidationRequest, listener: Listener) -> Iterator[ValidationEvent]:
    """Judge a target. Raises WrongLayout if its outputs are laid out otherwise than its inputs."""
    saved_map = load_map(request.map) if request.map is not None else None
    try:
        response = probe_target(target)
    except WrongLayout:
        raise
    except UsageError as error:
        yield from judge_undriven(target, error, request, listener, judge_target)
        return
    target, response = with_positive_kept(target, response)
    target = observed_target(target, response, request)
    yield from (RecordMade(record) for record in records_of_refused_dtypes(target, response, request))
    no_function = diagnose_no_function(response, target.name)
    if no_function is not None:
        yield from judge_no_function(target, no_function, request, listener, judge_target)
        return
    if fault := target.capabilities.kept_state_fault:
        yield from judge_state_between_calls(target, request, fault)
        return
    target = with_observed_habits(target, response)
    try:
        if saved_map is None:
            target_layouts(target, response)
    except UsageError as error:  # its parameters are those of no cell that the sketch of the three families has
        yield from _events_of_library(target, response, request, listener) or judge_unknown_parameters(
            target, response, error, request, listener, judge_target
        )
        return
    finest = response.tolerance
    response, matches = (
        _identified(target, response)
        if saved_map is None
        else first_reading(response, lambda reading: matches_of_map(reading, saved_map))
    )
    is_claimed = request.spec != "auto" or saved_map is not None or target.declared_model is not None
    is_free = bool(matches) and not is_claimed and not matches[0].forgotten
    near = near_cell(matches[0], response, finest) if is_free else None
    if near is not None:
        response.tolerance = finest
        yield from _events_of_library(target, response, request, listener) or judge_near_cell(
            target, response, request, near
        )
        return
    yield from _judge_by_matches(target, response, matches, saved_map, request, listener)


def _judge_by_matches(
    target: Target,
    response: Probe,
    matches: tuple[Identification, ...],
    saved_map: Identification | None,
    request: ValidationRequest,
    listener: Listener,
) -> Iterator[ValidationEvent]:
    """Judge a target by the cells that it equals; where it equals none, by what else it may be."""
    exchanged = with_exchanged_states(target, response) if not matches and saved_map is None else ()
    is_mistake = target.capabilities.states_return_in_order or not is_the_callers_affair(response)
    if exchanged and is_mistake:
        yield from _judge_exchanged_states(target, request, exchanged[0], SENTENCE)
        return
    carried = None if matches or exchanged or saved_map is not None else find_wrongly_carried(target, response)
    if carried is not None:
        yield from _judge_exchanged_states(target, request, carried.cell, carried.sentence)
        return
    matches = matches or exchanged
    events = (
        events_of_silent_parts(target, matches[0].unused, request, listener, judge_target)
        if matches
        else _events_without_match(target, response, request, listener)
    )
    if events:
        yield from events
        return
    wanted = wanted_cell(target, request.spec, saved_map)
    near = nearest_cell(target, response, wanted) if not matches and saved_map is None else None
    if near is not None:
        yield from judge_near_cell(target, response, request, near)
        return
    observed = (*note_on_output(response, matches[0].states), *note_on_names(matches[0])) if matches else ()
    observed += note_on_rows(response)
    identification = identification_record(matches, (*target.capabilities.notes, *observed))
    yield TargetIdentified(identification)
    match = next((match for match in matches if wanted.is_met_by(match)), None)
    if match is not None:
        spec, reason = match.spec or "candidate", identification.sentence
        yield RecordMade(identification_check(target.name, request, spec, Outcome.AGREES, reason))
        generated = GeneratedFrom(match.model, match.assignment.names) if match.spec is None else None
        kernel = candidate_kernel(target, match, request.dtypes)
        yield from _judge_candidate(kernel, request, listener, generated=generated)
        return
    for event in judge_mismatch(Mismatch(target, response, matches, wanted, request, saved_map)):
        if isinstance(event, RecordMade):
            events += [RecordMade(record) for record in mark_expected((event.record,), request.expected)]
        else:
            events.append(event)
    yield from with_consistency(target, response, request, events)


def _identified(target: Target, response: Probe) -> tuple[Probe, tuple[Identification, ...]]:
    """Identify a target by its runs, or by those in the format that it computes in: the runs, and what it equals."""
    response, matches = first_reading(response, lambda reading: identify(target, reading))
    single = response if matches else probe_in_own_format(target, response)
    return single, matches if single is response else identify(target, single)


def _judge_spec_candidate(
    candidate: SpecCandidate, request: ValidationRequest, listener: Listener
) -> Iterator[ValidationEvent]:
    """Yield what a candidate of a spec without a reference is, and its records."""
    kernel = candidate.kernel
    sentence = "; ".join((candidate.sentence, *note_on_rows(candidate.probe)))
    saved = None if candidate.match is None else to_spec_map_file(candidate.match, candidate.probe.convention)
    yield TargetIdentified(IdentificationRecord(answer="unique", spec=kernel.spec, sentence=sentence, map=saved))
    outcome = Outcome.NOT_RUN if candidate.match is None else Outcome.AGREES
    reason = candidate.sentence if candidate.match is not None else f"not identified: {kernel.title}"
    identified = identification_check(kernel.id, request, kernel.spec, outcome, reason)
    yield RecordMade(identified.model_copy(update={"definition": definition_of(candidate.spec)}))
    definition = definition_of(candidate.spec)
    for event in _judge_candidate(kernel, request, listener, candidate.diagnosis):
        if isinstance(event, RecordMade) and event.record.case is not None:
            yield RecordMade(event.record.model_copy(update={"definition": definition}))
        else:
            yield event


def _events_of_library(
    target: Target, response: Probe, request: ValidationRequest, listener: Listener
) -> list[ValidationEvent]:
    """Return the events of a candidate that equals a shipped spec without a reference; none where it equals none.

    If its states lie side by side it is judged by the spec that is asked for, which has them apart.
    """
    joined = wanted_spec_of_joined_states(response, request.spec) if request.map is None else None
    if joined is not None:
        return list(_judge_by_equations(target, joined, request, listener))
    if request.spec != "auto" or request.map is not None:
        return []
    candidate = library_candidate(target, response, request.dtypes)
    return [] if candidate is None else list(_judge_spec_candidate(candidate, request, listener))


def _events_without_match(
    target: Target, response: Probe, request: ValidationRequest, listener: Listener
) -> list[ValidationEvent]:
    """Return the events of a candidate that is another cell of the library, or a model; none where it is neither."""
    events = _events_of_library(target, response, request, listener)
    events = events or list(events_of_model(target, response, request, listener, judge_target))
    bare = None if events or request.spec != "auto" or request.map is not None else target_of_head_inputs(target)
    if bare is not None:
        with contextlib.suppress(UsageError):  # the target itself can be driven, and is judged then
            return list(judge_target(bare, request, listener))
    return events


def _judge_exchanged_states(
    target: Target, request: ValidationRequest, match: Identification, sentence: str
) -> Iterator[ValidationEvent]:
    """Yield that a candidate equals a cell, but that it does not carry the states as that does: how says `sentence`."""
    spec = match.spec or "candidate"
    diagnosis = Diagnosis(spec=spec, part="forward: order of the states", difference=sentence)
    record = identification_check(target.name, request, spec, Outcome.REFUTED, diagnosis.sentence())
    yield TargetIdentified(identification_record(()))
    yield from (RecordMade(marked) for marked in mark_expected((record,), request.expected))
    yield TargetDiagnosed(diagnosis)


def _judge_candidate(
    kernel: Kernel,
    request: ValidationRequest,
    listener: Listener,
    explain: Callable[[], Diagnosis | None] = lambda: None,
    generated: GeneratedFrom | None = None,
) -> Iterator[ValidationEvent]:
    """Yield a record for every check of a candidate, and what is wrong if one is refuted.

    `explain` finds out what is wrong with the numbers; it is asked only where a number is refuted. `generated` says
    what the candidate's spec was written from, if it was.
    """
    if request.weights is not None:
        kernel = replace(kernel, own_checks=(*kernel.own_checks, weights_check(load_weights(request.weights))))
    records: list[Record] = []
    judge = CandidateJudge(kernel, request, listener)
    for record in mark_expected(judge.records(), request.expected):
        records.append(record)
        yield RecordMade(record)
    _return_numbers(judge, request, listener, generated, records)
    for record in _records_of_stored_cases(judge.kernel, request, tuple(records)):
        records.append(record)
        yield RecordMade(record)
    judged = [record for record in records if not record.expected]
    answers: list[Answer] = []
    for answer in judge_identified(judge.kernel, tuple(wider_kernels(judge.kernel)), request):
        for record in mark_expected((answer.record,), request.expected):
            yield RecordMade(record)
            answers += [] if record.expected else [answer]
    diagnosis = precise_diagnosis(answers) or localise_fault(judge.kernel, judged) or first_diagnosis(answers)
    if diagnosis is None:
        return
    if diagnosis.part.startswith(("forward", "backward")):
        diagnosis = explain() or diagnosis
    listener.on_start(PhaseStarted(f"{kernel.id}: what is wrong?"))
    yield TargetDiagnosed(diagnosis)
    counterexample = smallest_counterexample(kernel, kernel.id, request.options)
    if counterexample is not None:
        yield CounterexampleFound(counterexample)


def _return_numbers(
    judge: CandidateJudge,
    request: ValidationRequest,
    listener: Listener,
    generated: GeneratedFrom | None,
    records: list[Record],
) -> None:
    """Hand over numbers of every dtype in which something agrees, so that they can be evaluated elsewhere, too."""
    agreeing = {record.dtype for record in records if record.outcome is Outcome.AGREES}
    for setting in judge.kernel.settings:
        if setting.dtype not in agreeing:
            continue
        judged = judge.returned.get(setting.dtype, {})
        try:
            listener.on_numbers(returned_numbers(judge.kernel, setting, request.seed, generated, judged))
        except Exception as error:
            if not is_raised_by_target(error) and not isinstance(error, NotRun):
                raise


def _records_of_stored_cases(
    kernel: Kernel, request: ValidationRequest, records: tuple[Record, ...]
) -> Iterator[Record]:
    """Yield a refuted record for every expected failure with a case on which it no longer happens."""
    for failure in request.expected:
        record = next((record for record in records if failure.names(record.check, record.dtype)), None)
        if failure.case is None or record is None:
            continue
        finding = judge_case(kernel, record.check, failure.case)
        if finding is not None and finding.agrees:
            reason = (
                f"{failure.check} was expected to fail on the stored case ({failure.reason}), but it agrees there now"
            )
            update = {"check": f"{PREFIX}.{failure.check}.case", "outcome": Outcome.REFUTED, "reason": reason}
            yield record.model_copy(update={**update, "case": failure.case, "expected": ""})
