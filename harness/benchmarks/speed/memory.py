"""The most memory one call takes: NumPy's arrays as tracemalloc counts them, torch's tensors as its profiler does."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

from rnn_harness.kernels.environment.profiler import silenced_standard_error


def most_memory(call: Callable[[], object], device: str = "cpu") -> float:
    """Megabytes: on a CUDA device what torch's allocator says, else of NumPy and of torch, whose peaks are added."""
    return (_on_device(call) if device != "cpu" else _numpy(call) + _torch(call)) / 2**20


def _on_device(call: Callable[[], object]) -> int:
    import torch

    torch.cuda.synchronize()
    before = int(torch.cuda.memory_allocated())
    torch.cuda.reset_peak_memory_stats()
    call()
    torch.cuda.synchronize()
    return int(torch.cuda.max_memory_allocated()) - before


def _numpy(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _torch(call: Callable[[], object]) -> int:
    """What was allocated and not yet freed, at its highest; what a library takes past torch is not seen."""
    from torch.profiler import ProfilerActivity, profile

    with silenced_standard_error(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        call()
    now = most = 0
    events = seen.profiler.kineto_results.events()
    for event in sorted(events, key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return most
