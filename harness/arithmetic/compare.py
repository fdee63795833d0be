"""How far a computed number lies from the true one, in shares of the bound and in bits."""

from __future__ import annotations

import math

import numpy as np
from flint import arb
from numpy.typing import NDArray

from rnn_harness.array_types import Array


def _distance(ball: arb, computed: float) -> arb:
    """Return the distance of a number from the true value, the ball's midpoint."""
    return (ball.mid() - arb(computed)).abs_upper()


def error_over_bound(balls: Array, computed: Array) -> tuple[float, tuple[int, ...]]:
    """Return the worst error as a share of the bound, and where it is.

    An exact ball admits only its midpoint, and a ball without a finite bound admits nothing: what cannot fail must
    not agree.

    Args:
        balls: An object array of arb: midpoints are true values, radii bounds.
        computed: Numbers of the same shape.

    Returns:
        The largest abs(computed - true) / bound, and its index. Above 1 is outside the bound; infinite for NaN and
        infinity.
    """
    worst, worst_index = 0.0, (0,) * balls.ndim
    for index in np.ndindex(*balls.shape):
        value = float(computed[index])
        ball: arb = balls.item(index)
        if not (math.isfinite(value) and ball.is_finite()):
            return math.inf, index
        distance, radius = _distance(ball, value), arb(ball.rad())
        if distance <= 0:
            continue
        share = float((distance / radius).abs_upper()) if radius > 0 else math.inf
        if share > worst:
            worst, worst_index = share, index
    return worst, worst_index


def worst_error(balls: Array, computed: Array) -> float:
    """Return the largest abs(computed - true).

    Args:
        balls: An object array of arb around the true values.
        computed: Numbers of the same shape.

    Returns:
        The error; 0 for empty arrays.
    """
    return max((float(_distance(balls.item(i), float(computed[i]))) for i in np.ndindex(*balls.shape)), default=0.0)


def worst_bound(balls: Array) -> float:
    """Return the largest radius of an object array of arb.

    Args:
        balls: An object array of arb, of any shape.
    """
    return max((float(arb(ball.rad())) for ball in balls.flat), default=0.0)


def effective_bits(balls: Array, computed: Array) -> float:
    """Return the precision that was really there.

    Args:
        balls: An object array of arb around the true values.
        computed: Numbers of the same shape.

    Returns:
        -log2 of the worst error relative to the largest true value; infinite without an error.
    """
    scale = max((float(ball.mid().abs_upper()) for ball in balls.flat), default=0.0)
    error = worst_error(balls, computed)
    if error == 0 or scale == 0:
        return math.inf
    return -math.log2(error / scale) if math.isfinite(error) else 0.0


def middle(balls: Array) -> NDArray[np.float64]:
    """Return the true values (midpoints of an object array of arb), rounded to float64.

    Args:
        balls: The array, of any shape.
    """
    return np.array([float(ball.mid()) for ball in balls.flat], dtype=np.float64).reshape(balls.shape)
