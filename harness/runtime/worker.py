"""Work in a spawned process that is watched: its messages arrive as they are sent, and then how it ended."""

from __future__ import annotations

import atexit
import contextlib
import enum
import math
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TypeVar

from rnn_harness.runtime.confinement import confine, hide_memory
from rnn_harness.runtime.group_memory import GroupMemory
from rnn_harness.runtime.messages import FrameBuffer, MessageTypes, UnreadableMessage
from rnn_harness.runtime.pipe_bytes import read_some, write_all
from rnn_harness.runtime.printed_errors import PrintedErrors, print_errors_to
from rnn_harness.runtime.process_group import end_group, exit_code, has_exited, lead_group, marked, wait_for_exit
from rnn_harness.runtime.run_queue import seconds_waited
from rnn_harness.runtime.target_call import CLOCK_SLOTS, USUAL_TARGET_TIMEOUT, FloatSlots, TargetClock, install_clock
from rnn_harness.runtime.this_process import importing_for_good

Argument = TypeVar("Argument")
Message = TypeVar("Message")
Send = Callable[[Message], None]
"""Sends one message from the worker to the process that started it, as plain data."""

SECONDS_BETWEEN_LOOKS = 0.1
"""How often it is looked at the clock of a target, and whether its process has ended."""
SECONDS_TO_LOAD = 60.0
"""How long a target may load at the least, whatever its calls may take: it may import large libraries."""

SECONDS_TO_CONSTRUCT = 20.0
"""How long a constructor may take while a target is loaded, imports before it aside; where its calls may take longer
than usual, it may take as long as those."""


class Ending(enum.Enum):
    """How a worker ended before its work was done.

    Attributes:
        TIMEOUT: It sent nothing for longer than one message may take; where a target's time is limited, one call of
            the target did not come back in that time.
        NOT_MADE: A constructor of the target did not come back in the time that it has.
        SLOW: The calls of the target together took longer than one message may take; every one of them came back.
        TOTAL_TIMEOUT: The time for all of the work was up.
        EXIT: Its process left with an exit code.
        SIGNAL: The system ended its process.
        OUT_OF_MEMORY: It said itself that its memory does not suffice, or took too much with what it started.
        NOT_CONFINED: The system does not lend what would take the network and all writing from it.
        UNREADABLE: It sent what is none of the messages that it may send.
    """

    TIMEOUT = enum.auto()
    NOT_MADE = enum.auto()
    SLOW = enum.auto()
    TOTAL_TIMEOUT = enum.auto()
    EXIT = enum.auto()
    SIGNAL = enum.auto()
    OUT_OF_MEMORY = enum.auto()
    NOT_CONFINED = enum.auto()
    UNREADABLE = enum.auto()


_SIGNALS_OF_LITTLE_MEMORY = ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS")


@dataclass(frozen=True)
class WorkerEnded:
    """The last message of a worker whose work is not done.

    Attributes:
        ending: How it ended.
        sentence: The same in words, after the subject "it": ``did not come back within 20 s``.
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
    work: Callable[[Send[Message | WorkerEnded], Argument], None],
    argument: Argument,
    message_types: tuple[type[Message], ...],
    timeout: float,
    deadline: float = math.inf,
    target_timeout: float | None = None,
    is_confined: bool = False,
    memory: float = math.inf,
) -> Iterator[Message | WorkerEnded]:
    """Run ``work(send, argument)`` in a spawned process and yield what it sends.

    Whatever the process does, this comes to its end within the limits: a message that is not whole, or is none, is
    never waited for, and processes that it leaves behind are ended with it.

    Args:
        work: A function of a module: the process imports it by name.
        argument: What it is to do; it is pickled.
        message_types: The types of all messages that it may send: dataclasses and models of plain data.
        timeout: Seconds without a message after which the process is ended.
        deadline: When the process is ended in any case, in seconds of the monotonic clock.
        target_timeout: Seconds that a target may take between two messages, by the clock of `call_target`: neither
            the work around it counts, nor that libraries are imported, nor that it waits for a core. None for no
            limit.
        is_confined: Whether it has no network, and can write to no file.
        memory: Gigabytes that it may take together with the processes that it starts; how much it may take itself
            is for the work to limit.

    Yields:
        The messages, and a `WorkerEnded` last if the process ended before its work was done.
    """
    if _ending_all.is_set():
        return
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    slots = context.RawArray("d", CLOCK_SLOTS)
    errors = PrintedErrors(context)
    is_main = threading.current_thread() is threading.main_thread()
    setting = _WorkerSetting(is_main, is_confined)
    # Pickled here, so that what the work imports is imported where the process is set up, and has a single thread.
    task = pickle.dumps((work, argument, message_types))
    arguments = (sender, slots, task, setting, errors.writer)
    process = context.Process(target=_run_work, args=arguments, daemon=True)
    if is_confined:
        hide_memory()
    with _interrupts_blocked(), marked(process):
        process.start()
    _running.add(process)
    watch = _Watch(TargetClock(slots), timeout, deadline, target_timeout, process.pid, memory)
    sender.close()
    errors.start()
    types = _declared(message_types)
    try:
        for frame in _frames(process, receiver, watch):
            if isinstance(frame, WorkerEnded):
                yield frame
                return
            try:
                message = types.decode(frame)
            except UnreadableMessage as error:
                yield WorkerEnded(Ending.UNREADABLE, f"sent what is no message ({error})")
                return
            watch.restart()
            if isinstance(message, _WorkDone):
                return
            yield message
            if isinstance(message, WorkerEnded):
                return
    finally:
        end_group(process)
        errors.finish()
        _running.discard(process)
        receiver.close()


_running: set[SpawnProcess] = set()
_ending_all = threading.Event()


def _end_all() -> None:
    """End every worker where this process ends: multiprocessing would ask them to, and wait for those that do not."""
    _ending_all.set()
    for process in list(_running):
        end_group(process)


atexit.register(_end_all)  # after multiprocessing has registered its own function, and so before that runs


def _declared(message_types: tuple[type[Message], ...]) -> MessageTypes[Message | WorkerEnded | _WorkDone]:
    """Return the types of a worker's messages, with those that every worker may send."""
    return MessageTypes(*message_types, WorkerEnded, _WorkDone)


def _frames(process: SpawnProcess, receiver: Connection, watch: _Watch) -> Iterator[bytes | WorkerEnded]:
    """Yield whole messages, and a `WorkerEnded` last if the process ends or a limit is reached."""
    buffer = FrameBuffer()
    while True:
        # A process that it has started may hold the pipe open: that it ended shows only where one looks.
        is_over = has_exited(process)
        if receiver.poll(0 if is_over else min(watch.seconds_to_wait(), SECONDS_BETWEEN_LOOKS)):
            try:
                chunk = read_some(receiver)
                if chunk:
                    yield from buffer.add(chunk)
                    is_over = False
                else:
                    wait_for_exit(process)
                    is_over = True
            except UnreadableMessage as error:
                yield WorkerEnded(Ending.UNREADABLE, f"sent what is no message ({error})")
                return
            except OSError:
                wait_for_exit(process)
                is_over = True
        if is_over:
            yield _process_ended(exit_code(process), watch.clock.is_called)
            return
        ended = watch.limit_reached()
        if ended is not None:
            yield ended
            return


class _Watch:
    """The limits of a worker, and how much of them is used since its last message.

    Attributes:
        clock: The clock of the worker's target.
    """

    def __init__(
        self,
        clock: TargetClock,
        timeout: float,
        deadline: float,
        target_timeout: float | None,
        process_number: int | None,
        memory: float = math.inf,
    ) -> None:
        self.clock = clock
        self._memory = GroupMemory(process_number, memory)
        self._timeout, self._deadline, self._target_timeout = timeout, deadline, target_timeout
        self._process_number = process_number
        self._call_began, self._waited_before_call = 0.0, 0.0
        self.restart()

    def restart(self) -> None:
        """Begin anew, since a message has come."""
        self._since = time.monotonic()
        self._waited_before = seconds_waited(self._process_number)
        self._target_seconds = self.clock.finished_seconds

    def _call_has_taken(self, limit: float) -> bool:
        """Say whether the running call has taken that many seconds, but for those in which it waited for a core."""
        began = self.clock.running_since
        if began != self._call_began:
            self._call_began, self._waited_before_call = began, seconds_waited(self._process_number)
        if not began:
            return False
        seconds = time.monotonic() - began
        return seconds >= limit and seconds - seconds_waited(self._process_number) + self._waited_before_call >= limit

    def seconds_to_wait(self) -> float:
        """Say for how long nothing needs to be looked at but messages."""
        now = time.monotonic()
        remaining = min(self._since + self._timeout, self._deadline) - now
        return max(0.0, remaining if self._target_timeout is None else min(remaining, SECONDS_BETWEEN_LOOKS))

    def limit_reached(self) -> WorkerEnded | None:
        """Return the ending that the first exceeded limit stands for; None if none is exceeded."""
        now, in_target = time.monotonic(), self.clock.is_called
        if now >= self._deadline:
            return WorkerEnded(Ending.TOTAL_TIMEOUT, "was not done in the time it had", in_target=in_target)
        if excess := self._memory.excess():
            return WorkerEnded(Ending.OUT_OF_MEMORY, excess, in_target=in_target)
        if self._target_timeout is None:
            limit, is_silent = self._timeout, now - self._since >= self._timeout
            return WorkerEnded(Ending.TIMEOUT, f"gave no answer for {limit:g} s") if is_silent else None
        limit = self._target_timeout
        longest = limit if limit > USUAL_TARGET_TIMEOUT else min(limit, SECONDS_TO_CONSTRUCT)
        if self.clock.is_constructing and self._call_has_taken(longest):
            return WorkerEnded(Ending.NOT_MADE, f"has a constructor that did not come back within {longest:g} s")
        if self._call_has_taken(limit):
            return WorkerEnded(Ending.TIMEOUT, f"did not come back within {limit:g} s", in_target=True)
        if self.clock.finished_seconds - self._target_seconds >= limit:
            return WorkerEnded(Ending.SLOW, f"took more than {limit:g} s for the calls of one case", in_target=True)
        allowed = max(limit, SECONDS_TO_LOAD) if self.clock.is_loading else self._timeout
        silent = now - self._since
        if silent >= allowed and silent - seconds_waited(self._process_number) + self._waited_before >= allowed:
            return WorkerEnded(Ending.TIMEOUT, f"gave no answer for {allowed:g} s")
        return None


def _process_ended(code: int | None, in_target: bool) -> WorkerEnded:
    """Read an exit code; multiprocessing gives the negative number of a signal."""
    if code is None:
        return WorkerEnded(Ending.EXIT, "closed its pipe and did not end", in_target=in_target)
    if code < 0:
        name = signal.Signals(-code).name
        return WorkerEnded(Ending.SIGNAL, f"its process was ended by {name}", name, in_target)
    return WorkerEnded(Ending.EXIT, f"its process ended with exit code {code}", in_target=in_target)


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Keep Ctrl-C from a process that starts: until it has loaded this module it would answer with a traceback."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # the first process starts it, and that would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True)
class _WorkerSetting:
    """How a worker's process is set up.

    Attributes:
        parent_lives_on: Whether the thread that starts it lives as long as its process.
        is_confined: Whether it has no network, and can write to no file.
    """

    parent_lives_on: bool
    is_confined: bool


def _run_work(
    connection: Connection, slots: FloatSlots, task: bytes, setting: _WorkerSetting, errors: Connection | None
) -> None:
    """Do the work inside the worker; Ctrl-C is for the parent to answer."""
    print_errors_to(errors)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":  # what the target starts shall hear of it again
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    lead_group(setting.parent_lives_on)
    _leave_resource_tracker()
    install_clock(TargetClock(slots))
    refusal = _confine() if setting.is_confined else ""
    with importing_for_good():
        work, argument, message_types = pickle.loads(task)
    types = _declared(message_types)

    def send(message: Message | WorkerEnded | _WorkDone) -> None:
        # The parent may end this process as soon as it has a message: what was printed before it must be out.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # closed by the target, or nobody reads it
                stream.flush()
        write_all(connection, types.encode(message))

    if refusal:
        send(WorkerEnded(Ending.NOT_CONFINED, f"could not be confined: {refusal}"))
        return
    work(send, argument)
    send(_WorkDone())
    connection.close()


def _leave_resource_tracker() -> None:
    """Close this process's end of the pipe to the resource tracker of its parent, which obeys whatever comes there.

    One of its own is started where this process needs it; it is of this group.
    """
    tracker = getattr(resource_tracker, "_resource_tracker", None)
    descriptor = getattr(tracker, "_fd", None)
    if tracker is not None and descriptor is not None:
        vars(tracker)["_fd"] = None
        os.close(descriptor)


def _confine() -> str:
    """Confine this process, and return why that is not possible; empty where it is."""
    try:
        confine()
    except OSError as error:
        return str(error)
    return ""
