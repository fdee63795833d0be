"""A target in a process of its own: what hangs, crashes or prints there becomes a record, and the rest goes on."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnn_harness.errors import UsageError
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.validation import Diagnosis, Event
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.worker import LATE, SILENT, Send, run_in_worker
from rnn_harness.validation.judging.expected_failures import Expected, unmet

if TYPE_CHECKING:
    from rnn_harness.validation.loading.target import Target

GIGABYTE = 2**30
_LOADED = "it was loaded"


@dataclass(frozen=True)
class Order:
    """What a worker is to do. `text`, `options`, `adapter`: the target as typed. `map`: the file of a saved map.

    `told`: it need not be identified aloud. `memory`: gigabytes. `weights`: a file of them. `expected`: known failures.
    `pairs`: the options as typed, for records. `known`: records that are not made again.
    """

    text: str
    options: dict[str, Any]
    spec: str = "auto"
    seed: int = 0
    examples: int = 5
    dtypes: tuple[str, ...] = ("float64", "float32")
    memory: float = 8.0
    told: bool = False
    adapter: str | None = None
    map: str | None = None
    weights: str | None = None
    expected: tuple[Expected, ...] = ()
    pairs: tuple[str, ...] = ()
    known: tuple[tuple[str, Record], ...] = ()


@dataclass(frozen=True)
class Limits:
    """Seconds: `case` without a sign of life, for one case or the identification; `total` for everything."""

    case: float = 120.0
    total: float = 3600.0


def isolated(
    order: Order, limits: Limits | None = None, on_start: Callable[[str], None] = lambda _: None
) -> Iterator[Event]:
    """The events of `validating`, made in a worker.

    A worker that is silent for too long, or ends before it is done, becomes a record; a new one goes on with the
    dtypes that are left. Where there are two cores, the dtypes after the first have a worker of their own. Raises
    UsageError as `validating` does.
    """
    records: list[Record] = []
    for kind, value in _everything(order, limits or Limits(), on_start):
        if kind == "record":
            records.append(value)
        yield kind, value
    for record in unmet(records, order.expected, order.text, order.seed):
        yield "record", record.model_copy(update={"init": order.pairs})


def _everything(order: Order, limits: Limits, on_start: Callable[[str], None]) -> Iterator[Event]:
    """All events, of one worker or of two side by side."""
    end = time.monotonic() + limits.total
    first, rest = replace(order, dtypes=order.dtypes[:1]), order.dtypes[1:]
    if not rest or _cores() < 2:
        yield from _all(order, limits, end, on_start)
        return
    beside: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    other = replace(order, dtypes=rest, told=True)
    # A daemon: whoever stops listening is not kept waiting for it, and its process ends with ours.
    threading.Thread(target=_beside, args=(beside, other, limits, end, on_start), daemon=True).start()
    yield from _all(first, limits, end, on_start)
    while (event := beside.get()) is not None:
        yield event


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _beside(
    into: queue.SimpleQueue[Event | None], order: Order, limits: Limits, end: float, on_start: Callable[[str], None]
) -> None:
    """The other dtypes' events; None when there are no more. Wrong use is told by the first."""
    with contextlib.suppress(UsageError):
        for event in _all(order, limits, end, on_start):
            into.put(event)
    into.put(None)


def _all(order: Order, limits: Limits, end: float, on_start: Callable[[str], None]) -> Iterator[Event]:
    """One worker after the other, until nothing is left."""
    left: Order | None = order
    while left is not None:
        left = yield from _one(left, limits, end, on_start)


def _one(order: Order, limits: Limits, end: float, on_start: Callable[[str], None]) -> Any:
    """One worker's events; returns the order that is left for the next, or None."""
    phase, told = _LOADED, order.told
    for kind, value in run_in_worker(_work, order, limits.case, end):
        if kind == "start":
            phase = f"it was tried: {value}"
            on_start(value)
        elif kind == "usage":
            raise UsageError(value)
        elif kind == "ended":
            undecided = value == LATE or phase == _LOADED
            ended = _record(order, phase, f"{value} while {phase}{advice(order, limits, value)}", undecided)
            if order.told and not ended.dtype:
                return None  # whoever identifies it tells that
            yield "record", ended
            if undecided:
                return None
            wanted = "a recurrent cell" if order.spec == "auto" else order.spec
            yield "diagnosis", Diagnosis(spec=wanted, part="behaviour: it does not end well", difference=value)
            return _rest(order, phase, told)
        elif kind == "event":
            name, what = value
            told = told or name == "identified"
            yield name, what.model_copy(update={"init": order.pairs}) if name == "record" else what
    return None


def advice(order: Order, limits: Limits, ending: str) -> str:
    """What to give more of, where that may have been the reason."""
    if ending == LATE:
        return f"; everything may take {limits.total:g} s (--total)"
    if ending.startswith(SILENT):
        return "; --timeout SECONDS gives it longer"
    if any(sign in ending for sign in _OUT_OF_MEMORY):
        return f"; it may take {order.memory:g} GB (--memory)"
    return ""


_OUT_OF_MEMORY = ("memory", "MemoryError", "map segment", "SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS")
"""What an ending says that a lack of memory may have brought about."""


def _rest(order: Order, phase: str, told: bool) -> Order | None:
    """What is left after the dtype in which a worker ended."""
    reached = [dtype for dtype in order.dtypes if f"{dtype} on" in phase]
    if not told or not reached:
        return None
    dtypes = order.dtypes[order.dtypes.index(reached[0]) + 1 :]
    return replace(order, dtypes=dtypes, told=True) if dtypes else None


def _record(order: Order, phase: str, reason: str, undecided: bool) -> Record:
    dtype = next((dtype for dtype in order.dtypes if f"{dtype} on" in phase), "")
    return Record(
        entry="unknown",
        spec="unknown",
        check="process.ended",
        witness="kernel",
        outcome=Outcome.NOT_RUN if undecided else Outcome.REFUTED,
        reason=reason,
        seed=order.seed,
        environment=versions(),
        kernel=order.text,
        dtype=dtype,
        device="cpu" if dtype else "",
    )


def _work(send: Send, order: Order) -> None:
    """The worker's work: standard output goes nowhere."""
    sys.stdout.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    report_usage_errors(send, order, _judged)


def _judged(send: Send, order: Order) -> None:
    from rnn_harness.validation.identification.saved_map import load_map
    from rnn_harness.validation.judging.trained_weights import check_weights
    from rnn_harness.validation.judging.validate import ProgressListener, ValidationRequest, validating

    given = None if order.map is None else load_map(Path(order.map))
    target = loaded(order)
    options = tuple(order.options.items())
    weights = None if order.weights is None else Path(order.weights)
    if weights is not None:
        check_weights(weights, target)
    own = (order.spec, order.seed, order.examples, order.dtypes)
    wish = ValidationRequest(*own, given, options, weights, order.expected, whole=False)
    watch = ProgressListener(lambda title: send("start", title), lambda: send("alive", None), order.known)
    for kind, value in validating(target, wish, watch):
        known = order.told and (kind == "identified" or getattr(value, "check", "") == "identification.unique")
        if not known:
            send("event", (kind, value))


def report_usage_errors(send: Send, order: Order, work: Callable[[Send, Order], None]) -> None:
    """Work in as much memory as an order gives; wrong use is sent, and that the memory did not suffice to begin."""
    _limit(order.memory)
    try:
        from rnn_harness.specs import SpecError
        from rnn_harness.validation.judging import validate as _validate  # noqa: F401  # torch, and all that is needed from the start
    except (MemoryError, ImportError, OSError) as error:
        send("ended", f"the memory did not suffice to load torch ({type(error).__name__}: {error})")
        return
    try:
        work(send, order)
    except (UsageError, SpecError) as error:
        send("usage", str(error))


def loaded(order: Order) -> Target:
    """The target. Raises UsageError."""
    from rnn_harness.validation.loading.target import load_target

    try:
        return load_target(order.text, order.options, order.adapter)
    except UsageError:
        raise
    except Exception as error:  # an adapter that was chosen for it may not know what to do with it
        if order.adapter is None:
            raise
        told = f"{type(error).__name__}: {error}"
        raise UsageError(f"--adapter {order.adapter} does not drive {order.text}: {told}; leave it out") from None


def _limit(gigabytes: float) -> None:
    """As much memory as that and no more, where the system can say so."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit; the timeouts still hold
    size = int(gigabytes * GIGABYTE)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
