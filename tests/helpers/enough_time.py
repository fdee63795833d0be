"""Time limits of tests of targets that hang: short on an idle machine, and long enough on a busy one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

SECONDS = (5.0, 20.0, 80.0)


def with_enough_time(run: Callable[[float], Result], has_begun: Callable[[Result], bool]) -> Result:
    """Run with longer and longer limits until the target was reached before the time was up.

    Args:
        run: Runs within that many seconds.
        has_begun: Whether the result is of a target that was reached; a busy machine may take long to load torch.

    Returns:
        The first result of a target that was reached, or the last.
    """
    for seconds in SECONDS:
        result = run(seconds)
        if has_begun(result):
            break
    return result
