"""What the end of a worker says about a target: mostly nothing, unless it happens again where the target is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnn_harness.errors import missing_resource, named_error
from rnn_harness.records.events import PhaseStarted, RecordMade, TargetDiagnosed, ValidationEvent
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.validation import CONFINED_CHECK, PROCESS_CHECK, Diagnosis
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.target_call import USUAL_TARGET_TIMEOUT, is_raised_by_target
from rnn_harness.runtime.target_code import failure_of
from rnn_harness.runtime.worker import Ending, WorkerEnded
from rnn_harness.validation.request import Limits, ValidationRequest


@dataclass(frozen=True)
class WorkFailed:
    """A worker's message that an error ended its work, which says nothing about what the target computes.

    Attributes:
        reason: The error, in words.
        harness_error: The traceback, if the harness itself raised it; empty if the target did.
    """

    reason: str
    harness_error: str = ""

    @classmethod
    def of(cls, error: BaseException) -> WorkFailed:
        """Return the message about an error.

        Args:
            error: What was raised in the worker: by the target, for want of memory, or in the harness.
        """
        if is_raised_by_target(error) or not isinstance(error, Exception):  # the harness raises errors alone
            return cls(f"it raised {named_error(error)}")
        if resource := missing_resource(error):
            return cls(f"there was not enough of what the harness needs itself: {resource}")
        failure = failure_of(error)
        return cls(str(failure), failure.traceback_text)


@dataclass(frozen=True)
class EarlierEnding:
    """How a worker ended while it called the target, and where: it refutes if that happens again in a new process.

    Attributes:
        phase: What the worker did.
        ended: How it ended.
    """

    phase: PhaseStarted
    ended: WorkerEnded


SHORTEST_REFUTING_LIMIT = 1.0
"""Seconds: a call that is slower than a shorter limit says more about the machine than about the target."""


def may_refute(phase: PhaseStarted | None, ended: WorkerEnded) -> bool:
    """Say whether an ending refutes the target if it happens again in a new process.

    It does where the target was called on a case that it must take, and ended the process, or did not come back. While
    it is identified it is called in ways that may be wrong; SIGKILL may come from a system that lacks memory.

    Args:
        phase: What the worker did; None if it had not begun.
        ended: How it ended.
    """
    if phase is None or not ended.in_target:
        return False
    if ended.ending is Ending.TIMEOUT:
        return True
    left = ended.ending is Ending.EXIT or (ended.ending is Ending.SIGNAL and ended.signal_name != "SIGKILL")
    return left and bool(phase.dtype)


def events_of_ending(
    request: ValidationRequest,
    phase: PhaseStarted | None,
    ended: WorkerEnded,
    earlier: EarlierEnding | None,
    limits: Limits,
) -> Iterator[ValidationEvent]:
    """Yield the record of a worker that ended, and the diagnosis if it refutes the target.

    Args:
        request: What the worker was to do.
        phase: What it did last; None if it had not begun.
        ended: How it ended.
        earlier: How a worker ended that did the same before; None if there was none.
        limits: How long it might take.
    """
    is_refuted = (
        earlier is not None
        and phase is not None
        and may_refute(phase, ended)
        and not (ended.ending is Ending.TIMEOUT and limits.case < SHORTEST_REFUTING_LIMIT)
        and (phase.dtype, ended.ending) == (earlier.phase.dtype, earlier.ended.ending)
    )
    reason = f"{ended} while {_during(phase, ended)}"
    if is_refuted:
        reason += ", and again in a new process"
    elif earlier is not None:
        reason += f"; before, in another process: {earlier.ended} while {_during(earlier.phase, earlier.ended)}"
    record = _process_record(request, phase, f"{reason}{advice(request, limits, ended)}")
    yield RecordMade(record.model_copy(update={"outcome": Outcome.REFUTED}) if is_refuted else record)
    if is_refuted:
        expected_spec = "a recurrent cell" if request.spec == "auto" else request.spec
        part_at_fault = "behaviour: its process timed out or crashed"
        yield TargetDiagnosed(Diagnosis(spec=expected_spec, part=part_at_fault, difference=str(ended)))


def record_of_failure(request: ValidationRequest, phase: PhaseStarted | None, failed: WorkFailed) -> Record:
    """Make the record of a worker whose work an error ended.

    Args:
        request: What it was to do.
        phase: What it did last; None if it had not begun.
        failed: The error.
    """
    record = _process_record(request, phase, f"{failed.reason}, while {_during(phase)}")
    return record.model_copy(update={"harness_error": failed.harness_error})


def record_of_no_repetition(request: ValidationRequest, earlier: EarlierEnding) -> Record:
    """Make the record of an ending that did not happen again.

    Args:
        request: What the worker was to do.
        earlier: How it ended.
    """
    occasion = _during(earlier.phase, earlier.ended)
    reason = f"{earlier.ended} while {occasion}; when the same was tried again, it did not happen again"
    return _process_record(request, earlier.phase, reason)


def record_of_confinement(request: ValidationRequest) -> Record:
    """Make the record that a target had no network, and could write to no file.

    Args:
        request: What its workers were to do.
    """
    reason = "its process had no network, and could write to no file but in memory"
    update = {"check": CONFINED_CHECK, "outcome": Outcome.AGREES}
    return _process_record(request, None, reason).model_copy(update=update)


def _during(phase: PhaseStarted | None, ended: WorkerEnded | None = None) -> str:
    """Say what a worker did."""
    if phase is not None:
        return f"it was tried: {phase.title}"
    is_called = ended is not None and ended.in_target
    return "ways of calling it were searched" if is_called else "it was loaded"


def _process_record(request: ValidationRequest, phase: PhaseStarted | None, reason: str) -> Record:
    """Make the record of a worker that could not do all of its work; it decides nothing as it is."""
    dtype = phase.dtype if phase is not None else ""
    return Record(
        entry="unknown",
        spec="unknown",
        check=PROCESS_CHECK,
        witness="kernel",
        outcome=Outcome.NOT_RUN,
        reason=reason,
        seed=request.seed,
        environment=versions(),
        kernel=request.target,
        dtype=dtype,
        device="cpu" if dtype else "",
    )


def advice(request: ValidationRequest, limits: Limits, ended: WorkerEnded) -> str:
    """Say which limit to raise, where that limit may have ended the worker.

    Args:
        request: The request whose memory was the limit.
        limits: The limits of time.
        ended: How the worker ended.

    Returns:
        The end of a sentence; empty where no limit can have been the reason.
    """
    if ended.ending is Ending.TOTAL_TIMEOUT:
        return f"; everything may take {limits.total:g} s (--total)"
    if ended.ending is Ending.NOT_MADE:
        return f"; --timeout SECONDS above {USUAL_TARGET_TIMEOUT:g} gives it as long"
    if ended.ending in (Ending.TIMEOUT, Ending.SLOW):
        return "; --timeout SECONDS gives it longer"
    return f"; it may take {request.memory:g} GB (--memory)" if ended.may_lack_memory else ""
