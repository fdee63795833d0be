"""Torch implementations of the specs, shipped by torch and ours, and how they are judged."""

from __future__ import annotations

from rnn_harness.kernels.catalogue import choose, kernels
from rnn_harness.kernels.judge import decide
from rnn_harness.kernels.judge_isolated import decide_apart
from rnn_harness.kernels.kernel import Kernel, Setting

__all__ = ["Kernel", "Setting", "choose", "decide", "decide_apart", "kernels"]
