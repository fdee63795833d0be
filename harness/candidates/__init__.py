"""Somebody's cell: what it is, and whether it is right."""

from __future__ import annotations

from rnn_harness.candidates._identify import Match, identify
from rnn_harness.candidates._target import Target, load, read_options, target
from rnn_harness.candidates._validate import candidate, validate
from rnn_harness.candidates._worker import Order, isolated

__all__ = [
    "Match",
    "Order",
    "Target",
    "candidate",
    "identify",
    "isolated",
    "load",
    "read_options",
    "target",
    "validate",
]
