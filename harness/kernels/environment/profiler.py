"""torch's profiler, without what its native code prints."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def silenced_standard_error() -> Iterator[None]:
    """Discard what native code, such as the profiler's, writes to standard error meanwhile."""
    standard_error = os.dup(2)
    null_device = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_device, 2)
    try:
        yield
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
        os.close(null_device)


def profiled_event_names(run: Callable[[], object], device: str = "cpu") -> tuple[str, ...]:
    """Give the names of all events of a run, sorted.

    Args:
        run: What is called once, under the profiler.
        device: ``cpu``, or ``cuda`` to record what runs there as well.
    """
    from torch.profiler import ProfilerActivity, profile

    activities = [ProfilerActivity.CPU]
    if device == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with silenced_standard_error(), profile(activities=activities) as profiler:
        run()
    return tuple(sorted({event.name for event in profiler.events()}))
