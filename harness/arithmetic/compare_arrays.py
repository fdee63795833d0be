"""How far a computed number lies from an array ball's midpoint, in shares of its radius."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.arithmetic.array_operations import operations_of
from rnn_harness.arithmetic.assumptions import UPWARD
from rnn_harness.array_types import Array


@dataclass(frozen=True)
class ArrayComparison:
    """Computed numbers next to an array ball.

    Attributes:
        error_over_bound: The largest distance from a midpoint divided by its radius; above 1, a number is proved to lie
            outside. Infinite for NaN and infinity, and where an exact ball is missed.
        where: The index of that number.
        error: The largest distance from a midpoint.
        bound: The largest radius.
        bits: -log2 of the largest distance relative to the largest midpoint.
    """

    error_over_bound: float
    where: tuple[int, ...]
    error: float
    bound: float
    bits: float


def compare_arrays(ball: ArrayBall, computed: Array) -> ArrayComparison:
    """Compare numbers with balls of the same shape.

    Args:
        ball: Balls, all finite.
        computed: Numbers that float64 holds; a tensor too where the balls are of torch.

    Raises:
        ValueError: A ball is not finite: nothing is claimed of what lies in it.
    """
    if not ball.is_finite:
        raise ValueError("a ball that is not finite bounds nothing")
    ops, shape = operations_of(ball.middle), tuple(np.shape(computed))
    if not math.prod(shape):
        return ArrayComparison(0.0, (0,) * len(shape), 0.0, 0.0, math.inf)
    with ops.scope():
        # The difference and the quotient are rounded once each, which the factor allows for.
        distance = abs(ops.converted(computed) - ball.middle)
        shares = ops.where(distance == 0, 0.0, distance / (ball.radius * UPWARD))
        shares = ops.where(ops.isfinite(distance), shares, math.inf)
        where = np.unravel_index(int(shares.argmax()), shape)
        scale, error = float(abs(ball.middle).max()), float(distance.max())
    bits = math.inf if error == 0 or scale == 0 else float(-np.log2(error / scale)) if math.isfinite(error) else 0.0
    error = error if math.isfinite(error) else math.inf
    return ArrayComparison(float(shares.max()), tuple(map(int, where)), error, float(ball.radius.max()), bits)
