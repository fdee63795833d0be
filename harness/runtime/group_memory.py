"""The memory of a process and of all that it has started: a limit of one process holds for none of the others."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from rnn_harness.runtime.process_group import descendants
from rnn_harness.runtime.this_process import GIGABYTE

SECONDS_BETWEEN_LOOKS = 0.5
_KILOBYTE = 1024


class GroupMemory:
    """Looks now and then at what a process and those that come from it take together.

    Only Linux says it. A page that several of them share counts once: each has its part of it.

    Args:
        process: The number of the process; None where it is not known.
        gigabytes: What they may take.
    """

    def __init__(self, process: int | None, gigabytes: float) -> None:
        self._process, self._gigabytes = process, gigabytes
        self._next_look = 0.0

    def excess(self) -> str:
        """Say what they take, if it is too much; the empty string if it is not, or is not known.

        A process alone is left to the limit that it has itself.
        """
        now = time.monotonic()
        if self._process is None or now < self._next_look:
            return ""
        self._next_look = now + SECONDS_BETWEEN_LOOKS
        started = descendants(self._process)
        if not started:
            return ""
        taken = sum(map(_proportional_bytes, (self._process, *started))) / GIGABYTE
        if taken <= self._gigabytes:
            return ""
        processes = f"{len(started)} processes" if len(started) > 1 else "a process"
        return f"took {taken:.1f} GB together with {processes} that it started"


def _proportional_bytes(process: int) -> int:
    """Return the memory of a process, of shared pages its part; 0 where the system does not say so."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * _KILOBYTE
    return 0
