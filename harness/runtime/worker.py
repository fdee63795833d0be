"""Work in a spawned process that is watched: its messages arrive as they are sent, and then how it ended."""

from __future__ import annotations

import contextlib
import enum
import math
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TypeVar

from rnn_harness.runtime.target_call import CLOCK_SLOTS, FloatSlots, TargetClock, install_clock

Argument = TypeVar("Argument")
Message = TypeVar("Message")
Send = Callable[[Message], None]
"""Sends one message from the worker to the process that started it; the message is pickled."""

SECONDS_TO_END = 10
"""How long a process that was killed, or closed its pipe, is waited for."""
SECONDS_BETWEEN_LOOKS = 0.1
"""How often the clock of a target is looked at."""
SECONDS_TO_LOAD = 60.0
"""How long a target may load at the least, whatever its calls may take: it may import large libraries."""


class Ending(enum.Enum):
    """How a worker ended before its work was done.

    Attributes:
        TIMEOUT: It sent nothing for longer than one message may take; where a target's time is limited, one call of
            the target did not come back in that time.
        SLOW: The calls of the target together took longer than one message may take; every one of them came back.
        TOTAL_TIMEOUT: The time for all of the work was up.
        EXIT: Its process left with an exit code.
        SIGNAL: The system ended its process.
        OUT_OF_MEMORY: It said itself that its memory does not suffice.
    """

    TIMEOUT = enum.auto()
    SLOW = enum.auto()
    TOTAL_TIMEOUT = enum.auto()
    EXIT = enum.auto()
    SIGNAL = enum.auto()
    OUT_OF_MEMORY = enum.auto()


_SIGNALS_OF_LITTLE_MEMORY = ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS")


@dataclass(frozen=True)
class WorkerEnded:
    """The last message of a worker whose work is not done.

    Attributes:
        ending: How it ended.
        sentence: The same in words, after the subject "it": ``gave no answer for 20 s``.
        signal_name: The signal that ended it, as ``SIGKILL``; empty for every other ending.
        in_target: Whether it ended while a target was called, and not in the work around it.
    """

    ending: Ending
    sentence: str
    signal_name: str = ""
    in_target: bool = False

    @property
    def may_lack_memory(self) -> bool:
        """Whether a lack of memory may have ended it: Linux kills, and libraries crash, without saying so."""
        return self.ending is Ending.OUT_OF_MEMORY or self.signal_name in _SIGNALS_OF_LITTLE_MEMORY

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class _WorkDone:
    """The message of a worker that did all of its work."""


def run_in_worker(
    work: Callable[[Send[Message], Argument], None],
    argument: Argument,
    timeout: float,
    deadline: float = math.inf,
    target_timeout: float | None = None,
) -> Iterator[Message | WorkerEnded]:
    """Run ``work(send, argument)`` in a spawned process and yield what it sends.

    Args:
        work: A function of a module: the process imports it by name.
        argument: What it is to do; it is pickled.
        timeout: Seconds without a message after which the process is ended.
        deadline: When the process is ended in any case, in seconds of the monotonic clock.
        target_timeout: Seconds that a target may take between two messages, by the clock of `call_target`: neither
            the work around it counts, nor that libraries are imported. None for no limit.

    Yields:
        The messages, and a `WorkerEnded` last if the process ended before its work was done.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    slots = context.RawArray("d", CLOCK_SLOTS)
    watch = _Watch(TargetClock(slots), timeout, deadline, target_timeout)
    process = context.Process(target=_run_work, args=(sender, slots, work, argument), daemon=True)
    process.start()
    sender.close()
    try:
        while True:
            try:
                while not receiver.poll(watch.seconds_to_wait()):
                    ended = watch.limit_reached()
                    if ended is not None:
                        yield ended
                        return
                message: Message | WorkerEnded | _WorkDone = receiver.recv()
            except (EOFError, OSError):
                process.join(SECONDS_TO_END)
                yield _process_ended(process.exitcode, watch.clock.is_running)
                return
            watch.restart()
            if isinstance(message, _WorkDone):
                return
            yield message
            if isinstance(message, WorkerEnded):
                return
    finally:
        process.kill()
        process.join(SECONDS_TO_END)
        receiver.close()


class _Watch:
    """The limits of a worker, and how much of them is used since its last message.

    Attributes:
        clock: The clock of the worker's target.
    """

    def __init__(self, clock: TargetClock, timeout: float, deadline: float, target_timeout: float | None) -> None:
        self.clock = clock
        self._timeout, self._deadline, self._target_timeout = timeout, deadline, target_timeout
        self.restart()

    def restart(self) -> None:
        """Begin anew, since a message has come."""
        self._since = time.monotonic()
        self._target_seconds = self.clock.finished_seconds

    def seconds_to_wait(self) -> float:
        """Say for how long nothing needs to be looked at but messages."""
        now = time.monotonic()
        remaining = min(self._since + self._timeout, self._deadline) - now
        return max(0.0, remaining if self._target_timeout is None else min(remaining, SECONDS_BETWEEN_LOOKS))

    def limit_reached(self) -> WorkerEnded | None:
        """Return the ending that the first exceeded limit stands for; None if none is exceeded."""
        now, in_target = time.monotonic(), self.clock.is_running
        if now >= self._deadline:
            return WorkerEnded(Ending.TOTAL_TIMEOUT, "was not done in the time it had", in_target=in_target)
        if self._target_timeout is None:
            limit, is_silent = self._timeout, now - self._since >= self._timeout
            return WorkerEnded(Ending.TIMEOUT, f"gave no answer for {limit:g} s") if is_silent else None
        limit = self._target_timeout
        if self.clock.running_seconds >= limit:
            return WorkerEnded(Ending.TIMEOUT, f"gave no answer for {limit:g} s", in_target=True)
        if self.clock.finished_seconds - self._target_seconds >= limit:
            return WorkerEnded(Ending.SLOW, f"took more than {limit:g} s for the calls of one case", in_target=True)
        allowed = max(limit, SECONDS_TO_LOAD) if self.clock.is_loading else self._timeout
        if now - self._since >= allowed:
            return WorkerEnded(Ending.TIMEOUT, f"gave no answer for {allowed:g} s")
        return None


def _process_ended(exit_code: int | None, in_target: bool) -> WorkerEnded:
    """Read an exit code; multiprocessing gives the negative number of a signal."""
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        return WorkerEnded(Ending.SIGNAL, f"its process was ended by {name}", name, in_target)
    return WorkerEnded(Ending.EXIT, f"its process ended with exit code {exit_code}", in_target=in_target)


def _run_work(
    connection: Connection, slots: FloatSlots, work: Callable[[Send[Message], Argument], None], argument: Argument
) -> None:
    """Do the work inside the worker; Ctrl-C is for the parent to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    install_clock(TargetClock(slots))

    def send(message: Message | _WorkDone) -> None:
        # The parent may end this process as soon as it has a message: what was printed before it must be out.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # closed by the target, or nobody reads it
                stream.flush()
        connection.send(message)

    work(send, argument)
    send(_WorkDone())
    connection.close()
