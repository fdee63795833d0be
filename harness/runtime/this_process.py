"""What a worker does to its own process before it works: limits its memory, sends its standard output elsewhere."""

from __future__ import annotations

import contextlib
import gc
import math
import multiprocessing
import os
import sys
from collections.abc import Iterator

GIGABYTE = 2**30


def core_count() -> int:
    """Count the cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_memory(gigabytes: float) -> None:
    """Limit the memory of this process, where the system can, to no more than it allows already.

    Args:
        gigabytes: The limit; infinity for none, as CUDA needs, which reserves more addresses than there is memory.
    """
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit; the timeouts still hold
    if math.isinf(gigabytes):
        return
    size = int(gigabytes * GIGABYTE)
    _, allowed = resource.getrlimit(resource.RLIMIT_AS)
    if allowed != resource.RLIM_INFINITY:
        size = min(size, allowed)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses it
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


@contextlib.contextmanager
def importing_for_good() -> Iterator[None]:
    """Import without looking for garbage; in a worker, what is there afterwards is never looked through again.

    torch and what it needs are half a million objects that live as long as the process: to look through them again
    and again took a tenth of a validation. What is dropped is freed at once all the same, and circles of objects
    that are made later are found.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if multiprocessing.parent_process() is not None:
            gc.freeze()
        if was_enabled:
            gc.enable()


def discard_standard_output() -> None:
    """Send to nowhere what this process prints, from Python and from below."""
    sys.stdout.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def join_standard_output_to_errors() -> None:
    """Send to standard error what this process prints, from Python and from below."""
    sys.stdout.flush()
    os.dup2(2, 1)
