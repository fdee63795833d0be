"""The most memory one call takes: NumPy's arrays as tracemalloc counts them, torch's tensors as its profiler does."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

from rnn_harness.kernels.environment.profiler import silenced_standard_error


def peak_memory_mb(call: Callable[[], object], device: str = "cpu") -> float:
    """Return the most memory that one call takes, in MiB.

    Args:
        call: What is measured, without arguments; its result is dropped.
        device: On a CUDA device torch's allocator is asked; else the peaks of NumPy and of torch are added.
    """
    peak = _cuda_bytes(call) if device != "cpu" else _numpy_bytes(call) + _torch_bytes(call)
    return peak / 2**20


def _cuda_bytes(call: Callable[[], object]) -> int:
    import torch

    torch.cuda.synchronize()
    before = int(torch.cuda.memory_allocated())
    torch.cuda.reset_peak_memory_stats()
    call()
    torch.cuda.synchronize()
    return int(torch.cuda.max_memory_allocated()) - before


def _numpy_bytes(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _torch_bytes(call: Callable[[], object]) -> int:
    """Return the highest sum of what was allocated and not yet freed; memory taken past torch is not counted."""
    from torch.profiler import ProfilerActivity, profile

    with silenced_standard_error(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    now = peak = 0
    events = profiler.profiler.kineto_results.events()
    for event in sorted(events, key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    return peak
