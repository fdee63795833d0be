"""A target in a process of its own: what hangs, crashes or prints there becomes a record, and the rest goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from rnn_harness.errors import UsageError
from rnn_harness.records import Outcome, Record, environment
from rnn_harness.worker import Send, watched

GIGABYTE = 2**30


@dataclass(frozen=True)
class Order:
    """What a worker is to do. `text`, `options`: the target as typed. `told`: it need not be identified aloud."""

    text: str
    options: dict[str, Any]
    spec: str = "auto"
    seed: int = 0
    examples: int = 5
    dtypes: tuple[str, ...] = ("float64", "float32")
    memory: float = 8.0
    told: bool = False


def isolated(order: Order, timeout: float, on_start: Callable[[str], None] = lambda _: None) -> Iterator[Record]:
    """The records of `validate`, made in a worker. `timeout`: seconds for the identification and for each dtype.

    A worker that is silent for longer, or ends before it is done, becomes a record; a new one goes on with the
    dtypes that are left. Raises UsageError as `validate` does.
    """
    left: Order | None = order
    while left is not None:
        left = yield from _one(left, timeout, on_start)


def _one(order: Order, timeout: float, on_start: Callable[[str], None]) -> Any:
    """One worker's records; returns the order that is left for the next, or None."""
    phase, identified = "it was loaded", order.told
    for kind, value in watched(_work, order, timeout):
        if kind == "start":
            phase = f"it was tried: {value}"
            on_start(value)
        elif kind == "record":
            record = Record.model_validate_json(value)
            identified = identified or record.check == "candidate.identified"
            yield record
        elif kind == "usage":
            raise UsageError(value)
        elif kind == "ended":
            yield _record(order, phase, f"{value} while {phase}")
            return _rest(order, phase, identified)
    return None


def _rest(order: Order, phase: str, identified: bool) -> Order | None:
    """What is left after the dtype in which a worker ended."""
    reached = [dtype for dtype in order.dtypes if f"{dtype} on" in phase]
    if not identified or not reached:
        return None
    dtypes = order.dtypes[order.dtypes.index(reached[0]) + 1 :]
    return replace(order, dtypes=dtypes, told=True) if dtypes else None


def _record(order: Order, phase: str, reason: str) -> Record:
    dtype = next((dtype for dtype in order.dtypes if f"{dtype} on" in phase), "")
    return Record(
        entry="unknown",
        spec="unknown",
        check="candidate.process",
        witness="kernel",
        outcome=Outcome.REFUTED,
        reason=reason,
        seed=order.seed,
        environment=environment(),
        kernel=order.text,
        dtype=dtype,
        device="cpu" if dtype else "",
    )


def _work(send: Send, order: Order) -> None:
    """The worker's work: standard output goes nowhere, memory is limited."""
    sys.stdout.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit(order.memory)
    from rnn_harness.candidates._target import load
    from rnn_harness.candidates._validate import validate
    from rnn_harness.specs import SpecError

    try:
        target = load(order.text, order.options)
        given = (order.spec, order.seed, order.examples, order.dtypes)
        for record in validate(target, *given, on_start=lambda title: send("start", title)):
            if not (order.told and record.check == "candidate.identified"):
                send("record", record.model_dump_json())
    except (UsageError, SpecError) as error:
        send("usage", str(error))


def _limit(gigabytes: float) -> None:
    """As much memory as that and no more, where the system can say so."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit; the timeout still holds
    size = int(gigabytes * GIGABYTE)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
