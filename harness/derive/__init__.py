"""Derivations over the one expression: the backward equations, and running them."""

from __future__ import annotations

from rnn_harness.derive._backward import Backward, BackwardPass, derive
from rnn_harness.derive._differentiate import Cotangents, differentiate

__all__ = ["Backward", "BackwardPass", "Cotangents", "derive", "differentiate"]
