"""Recorded checks are run again in a process of their own: what a candidate does there does nothing to this process."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rnn_harness.errors import NotRun, UsageError
from rnn_harness.records.record import Record
from rnn_harness.runtime import this_process
from rnn_harness.runtime.worker import Send, WorkerEnded, run_in_worker
from rnn_harness.validation.isolation import LONGEST_SEARCH, WrongUse, run_with_limits
from rnn_harness.validation.request import Limits, ValidationRequest
from rnn_harness.validation.returned_numbers import NumbersReturned
from rnn_harness.validation.worker_endings import WorkFailed


@dataclass(frozen=True)
class ReplayedCheck:
    """What came of a check that was run again.

    Attributes:
        number: The index of its record among those that are replayed.
        agrees: Whether it agrees now; None where it could not be run.
        detail: What differs, or why it could not be run.
        harness_error: The traceback, where the harness itself failed.
        numbers: What a candidate gave on the case; for the process that waits, which yields None in its place.
        is_own_word: Whether the candidate's own process alone says that it agrees.
    """

    number: int
    agrees: bool | None
    detail: str
    harness_error: str = ""
    numbers: NumbersReturned | None = None
    is_own_word: bool = False


@dataclass(frozen=True)
class _Task:
    """What a worker does: it replays the records from a number on."""

    records: tuple[Record, ...]
    first: int


_Message = ReplayedCheck | WrongUse | WorkFailed
_MESSAGE_TYPES: tuple[type[_Message], ...] = (ReplayedCheck, WrongUse, WorkFailed)


def replay_isolated(records: Sequence[Record], limits: Limits | None = None) -> Iterator[ReplayedCheck]:
    """Run recorded checks again, in a worker that is replaced where one of them ends it.

    Args:
        records: The records, in the order in which they are replayed.
        limits: How long a target may take.

    Yields:
        One result for each record, in order.

    Raises:
        UsageError: A candidate cannot be loaded as it is named.
    """
    limits = limits or Limits()
    deadline, memory = time.monotonic() + limits.total, _request(records).memory_limit
    number = 0
    while number < len(records):
        task = _Task(tuple(records), number)
        for message in run_in_worker(
            _replay_in_worker, task, _MESSAGE_TYPES, LONGEST_SEARCH, deadline, target_timeout=limits.case, memory=memory
        ):
            match message:
                case WrongUse(text):
                    raise UsageError(text)
                case ReplayedCheck():
                    answer = replace(message, number=number, numbers=None, is_own_word=False)
                    yield _confirmed(answer, records[number], message.numbers) if message.agrees else answer
                    number += 1
                case WorkFailed(reason, traceback_text):
                    yield ReplayedCheck(number, None, reason, traceback_text)
                    number += 1
                case WorkerEnded():
                    yield ReplayedCheck(number, None, f"{message} when it was run again")
                    number += 1
            if number == len(records):
                return


def _confirmed(answer: ReplayedCheck, record: Record, numbers: NumbersReturned | None) -> ReplayedCheck:
    """Return what this process says of a check of which a worker says that it agrees."""
    from rnn_harness.kernels import all_kernels
    from rnn_harness.validation.replayed_numbers import COMPARED_CHECKS, hold_against_equations
    from rnn_harness.validation.trusted_spec import Contradiction

    if not record.kernel or record.kernel in {kernel.id for kernel in all_kernels()}:
        return answer  # none of it is code of others
    if record.check not in COMPARED_CHECKS:
        return replace(answer, is_own_word=True)
    try:
        hold_against_equations(record, numbers)
    except Contradiction as contradiction:
        return replace(answer, agrees=None, detail=f"its process said that it agrees, but {contradiction}")
    except NotRun:
        return replace(answer, is_own_word=True)
    return answer


def _replay_in_worker(send: Send[_Message | WorkerEnded], task: _Task) -> None:
    """Replay records; what a candidate prints goes nowhere."""
    this_process.discard_standard_output()
    run_with_limits(send, _request(task.records), lambda: _send_findings(send, task))


def _request(records: Sequence[Record]) -> ValidationRequest:
    """Return a request with the memory that the records may take."""
    on_cuda = any(record.device.startswith("cuda") for record in records)
    return ValidationRequest(device="cuda" if on_cuda else "cpu")


def _send_findings(send: Send[_Message | WorkerEnded], task: _Task) -> None:
    """Send what comes of every record."""
    from rnn_harness.validation.replay import Replay

    replay = Replay()
    for number, record in enumerate(task.records[task.first :], task.first):
        try:
            replayed = replay.of(record)
        except NotRun as reason:
            send(ReplayedCheck(number, None, str(reason)))
        else:
            finding = replayed.finding
            send(ReplayedCheck(number, finding.agrees, finding.detail, numbers=replayed.numbers))
