"""Triton kernels split over many processors: each holds columns of the recurrent weights, all meet after every step."""

from __future__ import annotations

from rnn_harness.kernels.drivers.split.driver import SplitDriver, split_sequence
from rnn_harness.kernels.drivers.split.layout import LARGEST_SPLITS

__all__ = ["LARGEST_SPLITS", "SplitDriver", "split_sequence"]
