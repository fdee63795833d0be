"""Triton kernels fused over time: one launch a sequence and direction, recurrent weights held on chip."""

from __future__ import annotations

from rnn_harness.kernels.drivers.fused.driver import FusedDriver, fused
from rnn_harness.kernels.drivers.fused.launch import Launch, launches
from rnn_harness.kernels.drivers.fused.limits import KernelRefusal, largest_hidden_size, unavailable

__all__ = [
    "FusedDriver",
    "KernelRefusal",
    "Launch",
    "fused",
    "largest_hidden_size",
    "launches",
    "unavailable",
]
