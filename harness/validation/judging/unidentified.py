"""A candidate that equals no known cell, or whose outputs lie in no known way: what is decided without equations."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.errors import UsageError
from rnn_harness.records.events import RecordMade, TargetDiagnosed, ValidationEvent
from rnn_harness.records.validation import IDENTIFICATION_CHECK
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.consistency.unknown_cell import judge_unknown
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.judging.describe import identification_check
from rnn_harness.validation.judging.expected_failures import mark_expected
from rnn_harness.validation.judging.library_match import library_match_in_any_reading
from rnn_harness.validation.judging.positive_parameters import with_positive_kept
from rnn_harness.validation.judging.spec_file import UntiedParameters
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.request import ValidationRequest


def with_consistency(
    target: Target, probe: Probe, request: ValidationRequest, events: list[ValidationEvent]
) -> Iterator[ValidationEvent]:
    """Yield the events of a candidate, and what every recurrent cell must do if they leave it undecided.

    Args:
        target: The candidate.
        probe: How it is driven.
        request: What is asked for.
        events: What was decided by its equations.
    """
    records = [event for event in events if isinstance(event, RecordMade)]
    yield from records
    if any(
        record.record.check == IDENTIFICATION_CHECK and record.record.outcome is Outcome.NOT_RUN for record in records
    ):
        yield from consistency_events(target, probe, request)
    yield from (event for event in events if not isinstance(event, RecordMade))


def consistency_events(target: Target, probe: Probe, request: ValidationRequest) -> Iterator[ValidationEvent]:
    """Yield what is decided about a candidate by what every recurrent cell must do.

    Args:
        target: The candidate.
        probe: How it is driven.
        request: What is asked for.
    """
    for answer in judge_unknown(target, probe, request):
        for marked in mark_expected((answer.record,), request.expected):
            yield RecordMade(marked)
            if answer.diagnosis is not None and not marked.expected:
                yield TargetDiagnosed(answer.diagnosis)


def events_of_untied(target: Target, request: ValidationRequest, untied: UsageError) -> Iterator[ValidationEvent]:
    """Yield what is decided about a candidate that equals the wanted spec in no way, whatever its equations may be.

    Other states or inputs than those of the spec are a wrong use, unless the candidate is wrong whatever it should be.

    Args:
        target: The candidate.
        request: What is asked for.
        untied: Why its parameters are not known by the spec's names.

    Raises:
        UsageError: It cannot be driven, or has other states or inputs, and nothing refutes it.
    """
    target, probe = with_positive_kept(target, probe_target(target))
    events = list(consistency_events(target, probe, request))
    records = [event.record for event in events if isinstance(event, RecordMade)]
    is_refuted = any(record.outcome is Outcome.REFUTED and not record.expected for record in records)
    if not is_refuted and not isinstance(untied, UntiedParameters):
        raise untied
    reason = f"{untied}{_other_cell(probe)}" if isinstance(untied, UntiedParameters) else str(untied)
    yield RecordMade(identification_check(target.name, request, "unknown", Outcome.NOT_RUN, reason))
    yield from events


def _other_cell(probe: Probe) -> str:
    """Say which other cell it is that a candidate equals; empty where none is known."""
    _, match = library_match_in_any_reading(probe)
    return "" if match is None else f". It equals {match.spec.id}: --spec {match.spec.id} holds it against that"
