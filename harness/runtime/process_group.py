"""A worker and all that it starts are one group of processes, which ends with the worker and with the worker's parent.

On Linux that holds for processes that have left the group, too: those that they leave behind become children of the
worker, and are found there; where the worker has ended by itself before, by a name in their environment.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import secrets
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from multiprocessing.context import SpawnProcess
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""
_SET_CHILD_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER: a process whose parent ends becomes a child of this one, and not of the first process."""
_MARK = "RNN_HARNESS_WORKER"
"""The variable of a worker's environment that names it; what it starts has it too, unless it is started without any."""
_MOST_DESCRIPTORS = 2**16
"""Where the system says that there is no limit, descriptors up to this one are closed."""
SECONDS_BETWEEN_LOOKS = 0.02
SECONDS_TO_END = 10.0
"""How long a process that was killed, or closed its pipe, is waited for."""


def lead_group(parent_lives_on: bool) -> None:
    """Make this process, a worker, the leader of a group that ends when the parent ends, however that ends.

    Windows has no such groups: there, a worker's own processes are not ended.

    Args:
        parent_lives_on: Whether the thread that started this process lives as long as its process: Linux sends the
            signal when that thread ends.
    """
    if sys.platform == "win32":
        return
    os.setsid()
    with contextlib.suppress(OSError):  # no more processes are allowed: the signal alone must do
        _start_watchdog()
    if sys.platform == "linux":
        import ctypes

        control = ctypes.CDLL(None).prctl
        control(_SET_CHILD_SUBREAPER, 1)
        if parent_lives_on:
            control(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _start_watchdog() -> None:
    """Start a process of this group that ends the group when the parent has ended; it is no child of this process."""
    parent = multiprocessing.parent_process()
    if parent is None or sys.platform == "win32":
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of forks beside threads; this one only reads and kills
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return
        try:
            if not os.fork():
                _wait_for_the_end_of(parent.sentinel)
        finally:
            os._exit(0)


def _wait_for_the_end_of(sentinel: int) -> None:
    """Wait until the other end of a pipe is closed, as it is where the parent ends; then end this group."""
    os.closerange(0, sentinel)
    os.closerange(sentinel + 1, min(os.sysconf("SC_OPEN_MAX"), _MOST_DESCRIPTORS))
    while os.read(sentinel, 1):
        pass
    leader = os.getpgrp()
    _end_descendants(leader)
    os.killpg(leader, signal.SIGKILL)


def _end_descendants(leader: int) -> None:
    """End all processes that come from a worker, where /proc names them; the worker is stopped, to start no more."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(leader, signal.SIGSTOP)
    for process in descendants(leader):
        if process != os.getpid():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def descendants(ancestor: int) -> list[int]:
    """List the processes that come from a process; none where there is no /proc.

    Args:
        ancestor: Its number.
    """
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            children.setdefault(_parent_of(path), []).append(int(path.parent.name))
    found, waiting = [], [ancestor]
    while waiting:
        following = children.get(waiting.pop(), [])
        found += following
        waiting += following
    return found


_marking = threading.Lock()


@contextlib.contextmanager
def marked(process: SpawnProcess) -> Iterator[None]:
    """Mark the environment of a process that is started in this block with its name.

    Args:
        process: A worker that is not started yet; its name becomes one that no other process has.
    """
    process.name = f"{os.getpid()}-{secrets.token_hex(8)}"
    with _marking:
        os.environ[_MARK] = process.name
        try:
            yield
        finally:
            del os.environ[_MARK]


def _end_marked(name: str) -> None:
    """End all processes that a worker has left behind, where /proc shows their environments."""
    mark = f"{_MARK}={name}".encode("ascii")
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if mark in path.read_bytes().split(b"\0") and _parent_of(path.with_name("stat")) != os.getpid():
                os.kill(int(path.parent.name), signal.SIGKILL)


def _parent_of(path: Path) -> int:
    """Read the number of a process's parent from its file in /proc. Raises OSError, ValueError or IndexError."""
    return int(path.read_bytes().rpartition(b")")[2].split()[1])


def end_group(process: SpawnProcess) -> None:
    """End a worker and what it has started, and wait until the worker is gone.

    Args:
        process: The worker, started.
    """
    with contextlib.suppress(ValueError):
        if sys.platform != "win32" and process.pid is not None and not has_exited(process):
            _end_descendants(process.pid)
        process.kill()  # the leader before its group: nothing new is started after that
        if sys.platform != "win32" and process.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            _end_marked(process.name)
        process.join(SECONDS_TO_END)


def has_exited(process: SpawnProcess) -> bool:
    """Say whether a worker has ended; its number is not given to another process before `end_group`.

    Args:
        process: The worker, started.
    """
    if sys.platform == "win32" or process.pid is None:
        return process.exitcode is not None
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        return process.exitcode is not None
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True  # another thread has looked already


def exit_code(process: SpawnProcess) -> int | None:
    """Return the exit code of a worker, or the negative number of the signal that ended it; None while it runs.

    Args:
        process: The worker, started.
    """
    if sys.platform == "win32" or process.pid is None:
        return process.exitcode
    if not hasattr(os, "waitid"):
        return process.exitcode
    try:
        result = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return process.exitcode
    if result is None:
        return None
    return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status


def wait_for_exit(process: SpawnProcess) -> None:
    """Wait until a worker that closed its pipe has ended, for some seconds.

    Args:
        process: The worker, started.
    """
    until = time.monotonic() + SECONDS_TO_END
    while not has_exited(process) and time.monotonic() < until:
        time.sleep(SECONDS_BETWEEN_LOOKS)
