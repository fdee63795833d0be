"""A target is validated in a process of its own: a hang, a crash or a print there does nothing to this process.

What ends a worker becomes a record, and a new worker goes on with the dtypes that remain.
"""

from __future__ import annotations

import contextlib
import queue
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnn_harness.errors import UsageError, missing_resource, named_error
from rnn_harness.records.events import (
    CounterexampleFound,
    ModelDescribed,
    PhaseStarted,
    RecordMade,
    TargetDiagnosed,
    TargetIdentified,
    ValidationEvent,
)
from rnn_harness.records.record import Record
from rnn_harness.records.validation import CONFINED_CHECK, IDENTIFICATION_CHECK, NUMBERS_CHECK, WIRING_CHECKS
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime import this_process
from rnn_harness.runtime.target_call import process_clock
from rnn_harness.runtime.worker import Ending, Send, WorkerEnded, run_in_worker
from rnn_harness.validation.judging.expected_failures import unmet_expectations
from rnn_harness.validation.request import Limits, Listener, ValidationRequest
from rnn_harness.validation.returned_numbers import NumbersReturned
from rnn_harness.validation.worker_endings import (
    EarlierEnding,
    WorkFailed,
    events_of_ending,
    may_refute,
    record_of_confinement,
    record_of_failure,
    record_of_no_repetition,
)

if TYPE_CHECKING:
    from rnn_harness.validation.loading.target import Target

LONGEST_SEARCH = 600.0
"""Seconds that the harness may search without a message while it does not call the target."""


@dataclass(frozen=True)
class WrongUse:
    """A worker's message that the target cannot be driven as it was asked for.

    Attributes:
        message: What to do about it.
    """

    message: str


_OF_MEMORY = re.compile(r"memory|map segment", re.I)
"""What the loader of libraries says where it gets no memory."""

_MADE_HERE = (NUMBERS_CHECK, CONFINED_CHECK)
"""Checks whose records are made in this process alone."""


@dataclass(frozen=True)
class _CaseStarted:
    """A worker's message that it goes on to the next case."""


_WorkerMessage = ValidationEvent | PhaseStarted | _CaseStarted | NumbersReturned | WrongUse | WorkFailed
_MESSAGE_TYPES: tuple[type[_WorkerMessage], ...] = (
    TargetIdentified,
    ModelDescribed,
    RecordMade,
    TargetDiagnosed,
    CounterexampleFound,
    PhaseStarted,
    _CaseStarted,
    NumbersReturned,
    WrongUse,
    WorkFailed,
)


@dataclass(frozen=True)
class _Part:
    """What one worker decides.

    Attributes:
        request: Its part of the whole request: some of the dtypes.
        is_identified: Whether another worker yields what the target is identified as.
        earlier: How an earlier worker ended that did the same, while it called the target; None if there was none.
        sent: The keys of the records that the earlier worker sent.
    """

    request: ValidationRequest
    is_identified: bool = False
    earlier: EarlierEnding | None = None
    sent: frozenset[str] = frozenset()


def run_validation_isolated(
    request: ValidationRequest, limits: Limits | None = None, listener: Listener | None = None
) -> Iterator[ValidationEvent]:
    """Yield the events of `run_validation`, from workers.

    Where there are two cores, the dtypes after the first are judged by a second worker at the same time.

    Args:
        request: What is validated; its `target` names it.
        limits: How long it may take.
        listener: Who follows the progress.

    Raises:
        UsageError: The target cannot be loaded or driven, or nothing can be compared with it.
    """
    records: list[Record] = []
    returned: list[NumbersReturned] = []
    listener = replace(listener or Listener(), on_numbers=returned.append)
    for event in _events(request, limits or Limits(), listener):
        if isinstance(event, RecordMade):
            records.append(event.record)
        yield event
    for record in _reevaluated(records, returned, request):
        records.append(record)
        yield RecordMade(record.model_copy(update={"init": request.typed_options}))
    if request.is_confined:
        yield RecordMade(record_of_confinement(request))
    for record in unmet_expectations(records, request.expected, request.target, request.seed):
        yield RecordMade(record.model_copy(update={"init": request.typed_options}))


def _reevaluated(records: list[Record], returned: list[NumbersReturned], request: ValidationRequest) -> list[Record]:
    """Decide in this process whether numbers that came back say what the workers say."""
    if not any(record.outcome is Outcome.AGREES for record in records):
        return []
    from rnn_harness.validation.reevaluation import reevaluate

    return reevaluate(records, returned, request)


def _events(request: ValidationRequest, limits: Limits, listener: Listener) -> Iterator[ValidationEvent]:
    """Yield the events of one worker, or of two that run at the same time."""
    deadline = time.monotonic() + limits.total
    first_dtype, further_dtypes = request.dtypes[:1], request.dtypes[1:]
    if not further_dtypes or this_process.core_count() < 2:
        yield from _part_events(_Part(request), limits, deadline, listener)
        return
    events: queue.SimpleQueue[ValidationEvent | None] = queue.SimpleQueue()
    first = replace(request, dtypes=first_dtype, other_dtypes=further_dtypes)
    second = _Part(replace(request, dtypes=further_dtypes, other_dtypes=first_dtype), is_identified=True)
    # A daemon: a caller that stops listening is not kept waiting for it, and its process ends with ours.
    arguments = (events, second, limits, deadline, listener)
    threading.Thread(target=_put_events, args=arguments, daemon=True).start()
    yield from _part_events(_Part(first), limits, deadline, listener)
    while (event := events.get()) is not None:
        yield event


def _put_events(
    events: queue.SimpleQueue[ValidationEvent | None], part: _Part, limits: Limits, deadline: float, listener: Listener
) -> None:
    """Put the events of the second worker, and None after the last; the first worker reports wrong use."""
    with contextlib.suppress(UsageError):
        for event in _part_events(part, limits, deadline, listener):
            events.put(event)
    events.put(None)


def _part_events(part: _Part, limits: Limits, deadline: float, listener: Listener) -> Iterator[ValidationEvent]:
    """Start one worker after the other until no dtype remains."""
    remaining: _Part | None = part
    while remaining is not None:
        remaining = yield from _worker_events(remaining, limits, deadline, listener)


def _worker_events(
    part: _Part, limits: Limits, deadline: float, listener: Listener
) -> Generator[ValidationEvent, None, _Part | None]:
    """Yield the events of one worker; return the part that remains for the next, if any."""
    phase: PhaseStarted | None = None
    is_identified, sent = part.is_identified, set(part.sent)
    is_confined = part.request.is_confined
    memory = part.request.memory_limit
    for message in run_in_worker(
        _judge_in_worker, part, _MESSAGE_TYPES, LONGEST_SEARCH, deadline, limits.case, is_confined, memory
    ):
        match message:
            case PhaseStarted():
                phase = message
                listener.on_start(phase)
            case _CaseStarted() | NumbersReturned():
                _pass_on(message, listener)
            case WrongUse() | WorkerEnded(Ending.NOT_CONFINED):
                raise UsageError(refusal(message, part.request))
            case WorkFailed() | WorkerEnded():
                dtype = phase.dtype if phase is not None else ""
                if part.is_identified and not dtype:
                    return None  # the worker that identifies it comes to the same end, and reports it
                if isinstance(message, WorkFailed):
                    yield RecordMade(record_of_failure(part.request, phase, message))
                elif may_refute(phase, message) and part.earlier is None:
                    assert phase is not None, "what may refute happens in a phase"
                    request = replace(part.request, dtypes=_dtypes_from(part.request.dtypes, dtype))
                    return _Part(request, is_identified, EarlierEnding(phase, message), frozenset(sent))
                else:
                    yield from events_of_ending(part.request, phase, message, part.earlier, limits)
                if isinstance(message, WorkerEnded) and message.ending is Ending.TOTAL_TIMEOUT:
                    return None
                return _remaining_part(part, dtype) if is_identified else None
            case RecordMade(record):
                if record.key not in sent and record.check not in _MADE_HERE:
                    sent.add(record.key)
                    yield RecordMade(record.model_copy(update=_updates(part.request, record)))
            case _:
                is_identified = is_identified or isinstance(message, TargetIdentified)
                yield message
    if part.earlier is not None:
        yield RecordMade(record_of_no_repetition(part.request, part.earlier))
    return None


def refusal(message: WrongUse | WorkerEnded, request: ValidationRequest) -> str:
    """Say why a worker does not do what was asked for.

    Args:
        message: Its message: that the target cannot be driven so, or that its process cannot be confined.
        request: What was asked for.
    """
    if isinstance(message, WrongUse):
        return message.message
    return f"the process of {request.target} {message}: leave out --confine"


def _updates(request: ValidationRequest, record: Record) -> dict[str, object]:
    """What the request knows of a record, and not the worker: the options as they were typed, where it was computed.

    Nor does a worker say which failures were expected, whose records are its own, or what may be used again.
    """
    place = {} if request.device == "cpu" or not record.device else {"device": request.device}
    is_expected = any(record.expected == failure.reason and failure.is_met_by(record) for failure in request.expected)
    is_own = record.kernel == request.target or record.kernel.startswith(f"{request.target}.")
    return {
        "init": request.typed_options,
        "expected": record.expected if is_expected else "",
        "kernel": record.kernel if is_own else request.target,
        "depends_on": "",
        "batch_size": None,
        **place,
    }


def _pass_on(message: _CaseStarted | NumbersReturned, listener: Listener) -> None:
    """Tell the listener that a case begins, or the numbers that came back."""
    if isinstance(message, NumbersReturned):
        listener.on_numbers(message)
    else:
        listener.on_case()


def _dtypes_from(dtypes: tuple[str, ...], reached: str) -> tuple[str, ...]:
    """Return the dtypes that remain where one was reached, that one included."""
    return dtypes[dtypes.index(reached) :] if reached in dtypes else dtypes


def _remaining_part(part: _Part, reached: str) -> _Part | None:
    """Return what remains after the dtype in which a worker ended."""
    dtypes = part.request.dtypes
    if reached not in dtypes:
        return None
    remaining = dtypes[dtypes.index(reached) + 1 :]
    return _Part(replace(part.request, dtypes=remaining), is_identified=True) if remaining else None


def _judge_in_worker(send: Send[_WorkerMessage | WorkerEnded], part: _Part) -> None:
    """Do a worker's work; what the target prints goes nowhere."""
    this_process.discard_standard_output()
    run_with_limits(send, part.request, lambda: _send_events(send, part))


def _send_events(send: Send[_WorkerMessage | WorkerEnded], part: _Part) -> None:
    """Judge the target and send every event, but not twice what it is identified as."""
    from rnn_harness.validation.judging.trained_weights import check_weights
    from rnn_harness.validation.judging.validate import judge_target

    target = load_requested(part.request)
    if part.request.weights is not None:
        check_weights(part.request.weights, target)
    for event in judge_target(target, part.request, Listener(send, lambda: send(_CaseStarted()), send)):
        if not (part.is_identified and _is_about_identification(event)):
            send(event)


def _is_about_identification(event: ValidationEvent) -> bool:
    """Say whether an event tells what the target is identified as, or how a model is wired: it is so in every dtype."""
    if isinstance(event, RecordMade):
        return event.record.check == IDENTIFICATION_CHECK or event.record.check.startswith(WIRING_CHECKS)
    return isinstance(event, TargetIdentified | ModelDescribed)


def run_with_limits(
    send: Callable[[WrongUse | WorkFailed | WorkerEnded], None], request: ValidationRequest, work: Callable[[], None]
) -> None:
    """Work inside a worker within the memory of a request.

    What cannot be done as it was asked for is sent as `WrongUse`; any other error, as `WorkFailed`; memory in which
    not even torch can be loaded, as `WorkerEnded`.

    Args:
        send: Takes what is to be told to the process that waits.
        request: The request, of which the memory is taken, in GB.
        work: What is done; it sends its own results.
    """
    this_process.limit_memory(request.memory_limit)
    try:
        with this_process.importing_for_good():
            from rnn_harness.specs import SpecError, library
            from rnn_harness.validation.judging import validate as _validate  # noqa: F401  # torch, and all else

        library()  # read before the target may limit the files that can be opened
    except (MemoryError, ImportError, OSError) as error:
        if not (missing_resource(error) or _OF_MEMORY.search(str(error))):
            send(WorkFailed.of(error))  # torch, or what it needs, is not installed as it should be
            return
        sentence = f"the memory did not suffice to load torch ({type(error).__name__}: {error})"
        send(WorkerEnded(Ending.OUT_OF_MEMORY, sentence))
        return
    try:
        work()
    except (UsageError, SpecError) as error:
        send(WrongUse(str(error)))
    except BaseException as error:  # the target may raise anything; Ctrl-C does not reach a worker
        send(WorkFailed.of(error))


def load_requested(request: ValidationRequest) -> Target:
    """Load the target of a request.

    Args:
        request: The target, its options, and its adapter where one was chosen.

    Raises:
        UsageError: There is no such target, no such device, or the adapter that was asked for does not drive it.
    """
    from rnn_harness.validation.judging.own_specs import state_names_of
    from rnn_harness.validation.loading.device import on_device
    from rnn_harness.validation.loading.target import load_target

    try:
        with process_clock().loading():
            target = load_target(request.target, dict(request.options), request.adapter, state_names_of(request.spec))
        return on_device(target, request.device)
    except UsageError:
        raise
    except Exception as error:  # an adapter that was chosen for it may not know what to do with it
        if request.adapter is None:
            raise
        message = f"--adapter {request.adapter} does not drive {request.target}: {named_error(error)}; leave it out"
        raise UsageError(message) from None
