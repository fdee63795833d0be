"""Convolutional cells: their equations are told at one point of space, and with space they are held to the laws."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rnn_harness.records.events import RecordMade, ValidationEvent
from rnn_harness.records.validation import IDENTIFICATION_CHECK, outcome_of
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.unidentified import consistency_events
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.request import Listener, ValidationRequest

JudgeCallable = Callable[[Target, ValidationRequest, Listener], Iterator[ValidationEvent]]


def judge_in_space(
    point: Target, space: Target, request: ValidationRequest, listener: Listener, judge_callable: JudgeCallable
) -> Iterator[ValidationEvent]:
    """Judge a convolutional cell by its equations at one point, then with space by what holds for every cell.

    Args:
        point: The cell where its space is one point.
        space: The cell with space.
        request: What is asked for.
        listener: Who follows the progress.
        judge_callable: Judges one target that can be called.

    Yields:
        The events at one point and those of space; those of space alone where the equations are not known.
    """
    events = list(judge_callable(point, request, listener))
    records = [event.record for event in events if isinstance(event, RecordMade)]
    is_known = any(record.check == IDENTIFICATION_CHECK and record.outcome is not Outcome.NOT_RUN for record in records)
    if outcome_of(records) == "refuted":
        yield from events
    elif is_known:
        yield from events
        yield from consistency_events(space, probe_target(space), request)
    else:
        yield from judge_callable(space, request, listener)
