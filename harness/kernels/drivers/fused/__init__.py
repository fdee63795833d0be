"""Triton kernels fused over time: one launch a sequence and direction, recurrent weights held on chip."""

from __future__ import annotations

from rnn_harness.kernels.drivers.fused.driver import FusedDriver, fused_sequence
from rnn_harness.kernels.drivers.fused.launch import Launch, recorded_launches
from rnn_harness.kernels.drivers.fused.limits import KernelRefusal, largest_hidden_size, unavailable_reason

__all__ = [
    "FusedDriver",
    "KernelRefusal",
    "Launch",
    "fused_sequence",
    "largest_hidden_size",
    "recorded_launches",
    "unavailable_reason",
]
