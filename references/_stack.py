"""The layout inside the gated references: every step's gates lie together, and each is a matrix of columns.

(T, G, d, B) rather than (T, G, B, d): one product W h serves all gates of a step, each gate is contiguous, and the
transposed product sums over the gates by itself. What goes in and out stays (T, B, d), as views.

Dimension legend: T time steps, B batch rows, d hidden size, G gates.
"""

from __future__ import annotations

import numpy as np

from rnn_harness.references._base import Array


def by_gate(values: Array) -> Array:
    """(G * d, T * B), contiguous, from (T, G, d, B)."""
    steps, count, d, batch = values.shape
    return np.ascontiguousarray(values.transpose(1, 2, 0, 3)).reshape(count * d, steps * batch)


def by_row(values: Array) -> Array:
    """(T * B, d), contiguous, from (T, d, B)."""
    steps, d, batch = values.shape
    return np.ascontiguousarray(values.transpose(0, 2, 1)).reshape(steps * batch, d)
