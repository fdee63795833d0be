"""Work in a spawned process that is watched: its messages arrive as they are sent, and then how it ended."""

from __future__ import annotations

import enum
import math
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TypeVar

Argument = TypeVar("Argument")
Message = TypeVar("Message")
Send = Callable[[Message], None]
"""Sends one message from the worker to the process that started it; the message is pickled."""

SECONDS_TO_END = 10
"""How long a process that was killed, or closed its pipe, is waited for."""


class Ending(enum.Enum):
    """How a worker ended before its work was done.

    Attributes:
        TIMEOUT: It sent nothing for longer than one message may take.
        TOTAL_TIMEOUT: The time for all of the work was up.
        EXIT: Its process left with an exit code.
        SIGNAL: The system ended its process.
        OUT_OF_MEMORY: It said itself that its memory does not suffice.
    """

    TIMEOUT = enum.auto()
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
    """

    ending: Ending
    sentence: str
    signal_name: str = ""

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
) -> Iterator[Message | WorkerEnded]:
    """Run ``work(send, argument)`` in a spawned process and yield what it sends.

    Args:
        work: A function of a module: the process imports it by name.
        argument: What it is to do; it is pickled.
        timeout: Seconds without a message after which the process is ended.
        deadline: When the process is ended in any case, in seconds of the monotonic clock.

    Yields:
        The messages, and a `WorkerEnded` last if the process ended before its work was done.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run_work, args=(sender, work, argument), daemon=True)
    process.start()
    sender.close()
    try:
        while True:
            try:
                remaining = deadline - time.monotonic()
                if not receiver.poll(max(0.0, min(timeout, remaining))):
                    yield _timed_out(timeout, remaining)
                    return
                message: Message | WorkerEnded | _WorkDone = receiver.recv()
            except (EOFError, OSError):
                process.join(SECONDS_TO_END)
                yield _process_ended(process.exitcode)
                return
            if isinstance(message, _WorkDone):
                return
            yield message
            if isinstance(message, WorkerEnded):
                return
    finally:
        process.kill()
        process.join(SECONDS_TO_END)
        receiver.close()


def _timed_out(timeout: float, remaining: float) -> WorkerEnded:
    """Say which of the two limits was reached."""
    if remaining <= timeout:
        return WorkerEnded(Ending.TOTAL_TIMEOUT, "was not done in the time it had")
    return WorkerEnded(Ending.TIMEOUT, f"gave no answer for {timeout:g} s")


def _process_ended(exit_code: int | None) -> WorkerEnded:
    """Read an exit code; multiprocessing gives the negative number of a signal."""
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        return WorkerEnded(Ending.SIGNAL, f"its process was ended by {name}", name)
    return WorkerEnded(Ending.EXIT, f"its process ended with exit code {exit_code}")


def _run_work(connection: Connection, work: Callable[[Send[Message], Argument], None], argument: Argument) -> None:
    """Do the work inside the worker; Ctrl-C is for the parent to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(connection.send, argument)
    connection.send(_WorkDone())
    connection.close()
