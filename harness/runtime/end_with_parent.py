"""A program that ends with this process, however this process ends: also where a signal leaves it no time.

Beside the program a small one waits on a pipe whose other end this process holds. Where that end is closed by nobody
but the system, this process is gone, and the group of the program is ended.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

_WATCH = """
import os, signal, sys
if not sys.stdin.buffer.read(1):
    try:
        os.killpg(int(sys.argv[1]), signal.SIGKILL)
    except OSError:
        pass
"""
"""Ends a group of processes where nothing comes before the end of its input."""


@contextlib.contextmanager
def ending_with_this_process(process: subprocess.Popen[str]) -> Iterator[None]:
    """End a program where this process ends before the block does.

    Windows has no groups of processes: nothing is done there.

    Args:
        process: The program, started as the first one of a session of its own.
    """
    if sys.platform == "win32":
        yield
        return
    command = [sys.executable, "-I", "-S", "-c", _WATCH, str(process.pid)]
    watcher = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is not meant for it
    )
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # it may be gone
            watcher.communicate(b".")
