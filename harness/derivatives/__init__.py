"""Derivations over the one expression: the backward equations, and running them."""

from __future__ import annotations

from rnn_harness.derivatives.backward import Backward, BackwardPass, derive
from rnn_harness.derivatives.run_backward import Cotangents, differentiate

__all__ = ["Backward", "BackwardPass", "Cotangents", "derive", "differentiate"]
