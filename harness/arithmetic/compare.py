"""How far a computed number lies from the true one, in shares of the bound and in bits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from rnn_harness.array_types import Array


def _distance(ball: Any, computed: float) -> Any:
    return (ball.mid() - arb(computed)).abs_upper()


def error_over_bound(balls: Array, computed: Array) -> tuple[float, tuple[int, ...]]:
    """(worst abs(computed - true) / bound, where). Above 1 is outside the bound; inf for NaN or infinity.

    `balls`: an object array of arb; `computed`: numbers of the same shape. An exact ball admits only its midpoint,
    and a ball without a finite bound admits nothing: what cannot fail must not agree.
    """
    worst, where = 0.0, (0,) * balls.ndim
    for index in np.ndindex(*balls.shape):
        value = float(computed[index])
        ball: Any = balls[index]
        if not (math.isfinite(value) and ball.is_finite()):
            return math.inf, index
        distance, radius = _distance(ball, value), arb(ball.rad())
        if distance <= 0:
            continue
        here = float((distance / radius).abs_upper()) if radius > 0 else math.inf
        if here > worst:
            worst, where = here, index
    return worst, where


def worst_error(balls: Array, computed: Array) -> float:
    """The largest abs(computed - true)."""
    return max((float(_distance(balls[i], float(computed[i]))) for i in np.ndindex(*balls.shape)), default=0.0)


def worst_bound(balls: Array) -> float:
    """The largest radius."""
    return max((float(arb(ball.rad())) for ball in balls.flat), default=0.0)


def effective_bits(balls: Array, computed: Array) -> float:
    """-log2 of the worst error relative to the largest true value: the precision that was really there."""
    scale = max((float(ball.mid().abs_upper()) for ball in balls.flat), default=0.0)
    error = worst_error(balls, computed)
    if error == 0 or scale == 0:
        return math.inf
    return -math.log2(error / scale) if math.isfinite(error) else 0.0


def middle(balls: Array) -> NDArray[np.float64]:
    """The true values, rounded to float64."""
    return np.array([float(ball.mid()) for ball in balls.flat], dtype=np.float64).reshape(balls.shape)
