"""How long a process waits for a core: on a busy machine that is no time of its own."""

from __future__ import annotations

import contextlib
from pathlib import Path

_NANOSECONDS_A_SECOND = 10**9


def seconds_waited(process: int | None) -> float:
    """Return the seconds for which the first thread of a process was ready to run, and another ran in its place.

    Args:
        process: Its number; None where it is not known.

    Returns:
        The time since it began; 0 where the system does not say so, as all but Linux.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[1]) / _NANOSECONDS_A_SECOND
    return 0.0
