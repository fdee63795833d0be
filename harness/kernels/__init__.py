"""Torch implementations of the specs, shipped by torch and ours, and how they are judged."""

from __future__ import annotations

from rnn_harness.kernels.catalogue import DIFFERENT_BY_A_FLAG, all_kernels, choose_kernels, on_device
from rnn_harness.kernels.judge import judge_kernels
from rnn_harness.kernels.judge_in_workers import WorkLimits, judge_isolated
from rnn_harness.kernels.kernel import Kernel
from rnn_harness.kernels.setting import Setting

__all__ = [
    "DIFFERENT_BY_A_FLAG",
    "Kernel",
    "Setting",
    "WorkLimits",
    "all_kernels",
    "choose_kernels",
    "judge_isolated",
    "judge_kernels",
    "on_device",
]
