"""Cross-entropy over time: L = sum over t of -log(y_tc), 003:327 and 003:330.

Dimension legend: T time steps, B batch rows, k classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references.arguments import ArgumentError, alive_steps, expect_shape
from rnn_harness.references.array_types import Array


def cross_entropy(
    logits: Array, classes: NDArray[np.intp], lengths: NDArray[np.intp] | None = None
) -> tuple[float, Array]:
    """(loss, gradient for the logits) of softmax cross-entropy, summed over time and batch.

    `logits` (T, B, k); `classes` (T, B), the true class of every step; steps past a row's length do not count.
    The gradient is y_t - e_c. Raises ArgumentError on shapes that do not fit or a class outside 0..k-1.
    """
    if logits.ndim != 3:
        raise ArgumentError(f"logits has shape {logits.shape}, expected (T, B, classes)")
    steps, batch, k = logits.shape
    classes = expect_shape("classes", classes, (steps, batch))
    if classes.size and (classes.min() < 0 or classes.max() >= k):
        raise ArgumentError(f"classes reach from {classes.min()} to {classes.max()}, expected 0..{k - 1}")
    shifted = logits - logits.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)
    totals = powers.sum(axis=-1, keepdims=True)
    chosen = np.take_along_axis(shifted, classes[:, :, None], axis=-1) - np.log(totals)
    gradient = powers / totals
    np.put_along_axis(
        gradient,
        classes[:, :, None],
        np.take_along_axis(gradient, classes[:, :, None], axis=-1) - 1,
        axis=-1,
    )
    alive = alive_steps(lengths, steps, batch)
    if alive is not None:
        gradient[~alive] = 0
        chosen = np.where(alive[:, :, None], chosen, 0)
    return float(-chosen.sum()), gradient
