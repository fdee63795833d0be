"""A bound on the norm of one step's Jacobian, from the singular values of the recurrent weights alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.references import Reference
from rnn_harness.references.gru import GRU
from rnn_harness.references.rnn import RNN


def step_bound(cell: Reference, parameters: Mapping[str, Array]) -> float | None:
    """Return a bound on the spectral norm of d h_t / d h_{t-1}, for every input and every state that is reached.

    An LSTM has none: along its cell state alone the factor is the forget gate, but the path through h grows with c,
    which weights alone do not bound.

    Args:
        cell: A simple RNN, a GRU or an LSTM.
        parameters: Its parameters by name; those of recurrent weights count.
    """
    if isinstance(cell, RNN):
        return _largest(parameters["W_h"]) * (1.0 if cell.activation == "tanh" else 0.25)
    if isinstance(cell, GRU):
        # For |h| <= 1: the state, half the update gate's weights, the candidate's through the reset gate's.
        resets_before = cell.reset == "before"
        through_reset = 1 + _largest(parameters["W_hr"]) / 4 if resets_before else 1.0
        product = 0.0 if resets_before else _largest_product(parameters) * _largest(parameters["W_hr"]) / 4
        return 1 + _largest(parameters["W_hz"]) / 2 + _largest(parameters["W_hg"]) * through_reset + product
    return None


def _largest(matrix: Array) -> float:
    """Return the largest singular value."""
    return float(np.linalg.norm(matrix, 2))


def _largest_product(parameters: Mapping[str, Array]) -> float:
    """Return the largest entry of W_hg h + b_hg for |h| <= 1."""
    rows = np.abs(parameters["W_hg"]).sum(axis=1)
    return float((rows + np.abs(parameters.get("b_hg", 0.0))).max())
