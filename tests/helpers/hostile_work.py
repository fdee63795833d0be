"""Work that harms its process, or the process that started it, as tests of workers need it."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import pickle
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Said:
    """A message.

    Attributes:
        text: What it says.
        number: A number.
    """

    text: str
    number: float = 0.0


Send = Callable[[Said], None]


def _pipes() -> Iterator[int]:
    for descriptor in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                yield descriptor
        except OSError:
            pass


def _write_to_all(data: bytes) -> None:
    for descriptor in _pipes():
        with contextlib.suppress(OSError):
            os.write(descriptor, data)


def tells(send: Send, _: object) -> None:
    send(Said("fine\x1b[2J\ud800", float("inf")))


def prints_what_a_terminal_obeys(send: Send, _: object) -> None:
    sys.stderr.write("\x1b[2J\x1b]0;title\x07 50%\r100%\n")
    sys.stderr.flush()
    os.write(2, "from below: é\n".encode())
    os.write(2, b"\xff" * 2**21)
    os._exit(7)


def writes_part_of_a_message(send: Send, _: object) -> None:
    _write_to_all(b"\x00\x00\x10\x00abc")
    time.sleep(1000)


class _Circle:
    """An object that holds itself, and is dropped only when garbage is looked for."""

    dropped = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        type(self).dropped += 1


def tells_what_is_looked_through(send: Send, _: object) -> None:
    kept = gc.get_freeze_count()
    _Circle()
    send(Said("before", _Circle.dropped))
    gc.collect()
    send(Said("enabled" if gc.isenabled() else "disabled", _Circle.dropped))
    send(Said("kept", kept))


def tells_its_pipes(send: Send, _: object) -> None:
    send(Said("pipes", len(list(_pipes()))))


def uses_semaphores(send: Send, _: object) -> None:
    lock = multiprocessing.get_context("spawn").Lock()
    with lock:
        send(Said("locked"))


def writes_no_message(send: Send, _: object) -> None:
    _write_to_all(b"\x00\x00\x00\x05hello")
    time.sleep(1000)


def announces_too_much(send: Send, _: object) -> None:
    _write_to_all(b"\xff\xff\xff\xffhello")
    time.sleep(1000)


class _Program:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


def sends_a_pickle_with_a_program(send: Send, path: str) -> None:
    data = pickle.dumps(_Program(path))
    _write_to_all(len(data).to_bytes(4, "big") + data)
    time.sleep(1000)


def starts_processes_that_take_memory(send: Send, megabytes: int) -> None:
    for _ in range(3):
        if os.fork() == 0:
            taken = bytearray(b"x" * (megabytes * 2**20))
            time.sleep(1000)
            os._exit(len(taken) % 2)
    time.sleep(1000)


def takes_memory_and_starts_processes_that_share_it(send: Send, megabytes: int) -> None:
    taken = bytearray(b"x" * (megabytes * 2**20))
    for _ in range(4):
        if os.fork() == 0:
            time.sleep(1000)
            os._exit(0)
    time.sleep(3)
    send(Said("done", len(taken)))


def closes_every_file(send: Send, _: object) -> None:
    os.closerange(0, 64)
    time.sleep(1000)


def closes_every_file_and_exits(send: Send, _: object) -> None:
    os.closerange(0, 64)
    os._exit(5)


def leaves_a_child_that_holds_the_pipe(send: Send, path: str) -> None:
    _start_child(path)
    os._exit(7)


def _start_child(path: str) -> None:
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        Path(path).write_text(str(os.getpid()), encoding="ascii")
        time.sleep(1000)
    while not Path(path).exists() or not Path(path).read_text(encoding="ascii"):
        time.sleep(0.01)


def leaves_a_child_of_another_session_and_exits(send: Send, path: str) -> None:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            hangs_with_a_child(lambda _: None, path)
        os._exit(0)
    while not Path(path).exists() or not Path(path).read_text(encoding="ascii"):
        time.sleep(0.01)
    os._exit(7)


def hangs_with_a_child(send: Send, path: str) -> None:
    _start_child(path)
    send(Said(str(os.getpid())))
    time.sleep(1000)


def hangs_with_a_child_that_has_left(send: Send, path: str) -> None:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            hangs_with_a_child(lambda _: None, path)
        os._exit(0)
    os.wait()
    while not Path(path).exists() or not Path(path).read_text(encoding="ascii"):
        time.sleep(0.01)
    send(Said("done"))
    time.sleep(1000)


if __name__ == "__main__":  # a parent that a test ends: it prints the process of its worker, and waits
    from rnn_harness.runtime.worker import run_in_worker

    for said in run_in_worker(hangs_with_a_child, sys.argv[1], (Said,), 1000):
        print(said.text if isinstance(said, Said) else said, flush=True)
