"""One run on a GPU machine: what is worth most first, every result on disk as it comes, never past the budget."""

from __future__ import annotations

from rnn_harness.gpu.run import GpuRunOptions, run_on_gpu

__all__ = ["GpuRunOptions", "run_on_gpu"]
