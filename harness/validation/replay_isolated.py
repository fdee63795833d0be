"""Recorded checks are run again in a process of their own: what a candidate does there does nothing to this process."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rnn_harness.errors import NotRun, UsageError
from rnn_harness.records.record import Record
from rnn_harness.runtime import this_process
from rnn_harness.runtime.worker import Send, WorkerEnded, run_in_worker
from rnn_harness.validation.isolation import LONGEST_SEARCH, WrongUse, run_with_limits
from rnn_harness.validation.request import Limits, ValidationRequest
from rnn_harness.validation.worker_endings import WorkFailed


@dataclass(frozen=True)
class ReplayedCheck:
    """What came of a check that was run again.

    Attributes:
        number: The index of its record among those that are replayed.
        agrees: Whether it agrees now; None where it could not be run.
        detail: What differs, or why it could not be run.
        harness_error: The traceback, where the harness itself failed.
    """

    number: int
    agrees: bool | None
    detail: str
    harness_error: str = ""


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
    deadline = time.monotonic() + limits.total
    number = 0
    while number < len(records):
        task = _Task(tuple(records), number)
        for message in run_in_worker(
            _replay_in_worker, task, _MESSAGE_TYPES, LONGEST_SEARCH, deadline, target_timeout=limits.case
        ):
            match message:
                case WrongUse(text):
                    raise UsageError(text)
                case ReplayedCheck():
                    yield ReplayedCheck(number, message.agrees, message.detail, message.harness_error)
                    number += 1
                case WorkFailed(reason, traceback_text):
                    yield ReplayedCheck(number, None, reason, traceback_text)
                    number += 1
                case WorkerEnded():
                    yield ReplayedCheck(number, None, f"{message} when it was run again")
                    number += 1
            if number == len(records):
                return


def _replay_in_worker(send: Send[_Message | WorkerEnded], task: _Task) -> None:
    """Replay records; what a candidate prints goes nowhere."""
    this_process.discard_standard_output()
    on_cuda = any(record.device.startswith("cuda") for record in task.records)
    request = ValidationRequest(memory=math.inf) if on_cuda else ValidationRequest()
    run_with_limits(send, request, lambda: _send_findings(send, task))


def _send_findings(send: Send[_Message | WorkerEnded], task: _Task) -> None:
    """Send what comes of every record."""
    from rnn_harness.validation.replay import Replay

    replay = Replay()
    for number, record in enumerate(task.records[task.first :], task.first):
        try:
            finding = replay.finding_of(record)
        except NotRun as reason:
            send(ReplayedCheck(number, None, str(reason)))
        else:
            send(ReplayedCheck(number, finding.agrees, finding.detail))
