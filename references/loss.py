"""Cross-entropy over time: L = sum over t of -log(y_tc), 003:327 and 003:330."""

from __future__ import annotations

import numpy as np
from jaxtyping import Inexact, Integer

from rnn_harness.references.arguments import ArgumentError, alive_steps, expect_shape
from rnn_harness.references.array_types import Array, IndexArray


def cross_entropy(
    logits: Inexact[Array, "T B k"],
    classes: Integer[IndexArray, "T B"],
    lengths: Integer[IndexArray, B] | None = None,
) -> tuple[float, Inexact[Array, "T B k"]]:
    """Compute the softmax cross-entropy, summed over time and batch, and its gradient.

    Args:
        logits: what the softmax is applied to.
        classes: the true class of every step, 0..k-1.
        lengths: the number of steps of every row; steps past it do not count.

    Returns:
        (the loss, its gradient y_t - e_c for the logits).

    Raises:
        ArgumentError: on shapes that do not fit or a class outside 0..k-1.
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
