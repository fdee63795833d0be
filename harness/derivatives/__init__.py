"""Derivations over the one expression: the backward equations, and running them."""

from __future__ import annotations

from rnn_harness.derivatives.backward import Backward, BackwardPass, derive
from rnn_harness.derivatives.run_backward import BatchPart, Cotangents, differentiate, differentiate_parts

__all__ = [
    "Backward",
    "BackwardPass",
    "BatchPart",
    "Cotangents",
    "derive",
    "differentiate",
    "differentiate_parts",
]
