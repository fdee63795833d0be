"""Gates side by side: every step's gates lie together in memory, so that one operation serves them all.

Dimension legend: T time steps, B batch rows, d hidden size, G gates.
"""

from __future__ import annotations

import numpy as np

from rnn_harness.references._base import Array


def by_step(values: Array, steps: int, batch: int) -> Array:
    """(T, G, B, d), contiguous, from (G, T * B, d)."""
    count, _, d = values.shape
    return np.ascontiguousarray(values.reshape(count, steps, batch, d).swapaxes(0, 1))


def by_gate(values: Array) -> Array:
    """(G, T * B, d) from (T, G, B, d)."""
    steps, count, batch, d = values.shape
    return np.ascontiguousarray(values.swapaxes(0, 1)).reshape(count, steps * batch, d)
