"""Functions of midpoints and radii by the mean value theorem: f(middle), and a bound on sup abs(f') times the radius.

Each function here takes midpoints and radii and returns f(middle), as NumPy computes it, and a spread that f of a
member may lie off the *exact* f(middle), up to a factor of `UPWARD`. What NumPy's own f rounds is added by the caller.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_harness.arithmetic.assumptions import LAYER_NORM_EPSILON, SMALLEST_NORMAL, SOFTPLUS_END, UPWARD
from rnn_harness.arithmetic.numpy_arithmetic import inverse_deviation as _inverse_deviation
from rnn_harness.arithmetic.numpy_arithmetic import sigmoid as _sigmoid
from rnn_harness.arithmetic.numpy_arithmetic import softmax as _softmax
from rnn_harness.arithmetic.numpy_arithmetic import softplus as _softplus
from rnn_harness.array_types import Array
from rnn_harness.specs.expression import Function

Enclosed = tuple[Array, Array]
"""Values at the midpoints, and how far the values of other members may lie from them."""


def _smallest_size(middle: Array, radius: Array) -> Array:
    """Return a lower bound of the absolute value of every member: a difference is rounded once."""
    distance = (abs(middle) - radius) / UPWARD
    return np.where(distance > 0, distance, 0.0)


def sigmoid(middle: Array, radius: Array) -> Enclosed:
    """Enclose the sigmoid. Its slope e / (1 + e)^2, e = exp(-abs(x)), is largest at the point next to zero.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    power = np.maximum(np.exp(-_smallest_size(middle, radius)), SMALLEST_NORMAL)
    return _sigmoid(middle), power / ((1 + power) * (1 + power)) * UPWARD * radius


def tanh(middle: Array, radius: Array) -> Enclosed:
    """Enclose tanh. Its slope 4 e / (1 + e)^2, e = exp(-2 abs(x)), is largest at the point next to zero.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    power = np.maximum(np.exp(-2 * _smallest_size(middle, radius)), SMALLEST_NORMAL)
    return np.tanh(middle), 4 * power / ((1 + power) * (1 + power)) * UPWARD * radius


def log(middle: Array, radius: Array) -> Enclosed:
    """Enclose the logarithm, whose slope 1 / x is largest at the lower end; not finite where a ball reaches zero.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    lower = np.where(middle > 0, _smallest_size(middle, radius), 0.0)
    return np.log(middle), radius / np.where(lower > 0, lower, np.nan) * UPWARD


def relu(middle: Array, radius: Array) -> Enclosed:
    """Enclose ReLU, whose slope is 0 or 1; where a ball contains zero, 1 bounds it.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    return np.where(middle > 0, middle, 0.0), np.where(middle + radius < 0, 0.0, radius)


def step(middle: Array, radius: Array) -> Enclosed:
    """Enclose the step function: 1 above zero, else 0; where a ball contains zero and more, 1/2 +- 1/2.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    above, below = middle > radius, middle <= -radius
    value = np.where(above, 1.0, np.where(below, 0.0, 0.5))
    return value, np.where(above | below, 0.0, 0.5 * UPWARD)


def softmax(middle: Array, radius: Array) -> tuple[Array, Array, float]:
    """Enclose the softmax of a row; `ball_functions.softmax` has the reasons.

    Args:
        middle: The midpoints of one row.
        radius: The radii.

    Returns:
        Values, how far those of other members may lie from them, and the largest distance of two members.
    """
    value = _softmax(middle[None])[0]
    grow = np.exp(2 * radius.max()) * UPWARD
    bounds = np.minimum((value + SMALLEST_NORMAL) * grow * UPWARD, 1.0)
    moved = bounds * radius
    remaining = moved.sum() - moved
    share = 1 - value / (grow * UPWARD)
    # What is subtracted may cancel: as much as rounding can make of it is added.
    remaining = np.where(remaining > 0, remaining, 0.0) + (UPWARD - 1) * moved.sum()
    distance = float((middle + radius).max() - (middle - radius).min()) * UPWARD
    return value, bounds * (share * radius + remaining) * UPWARD, distance


def exp(middle: Array, radius: Array) -> Enclosed:
    """Enclose the exponential, which is its own slope and largest at the upper end.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    return np.exp(middle), (
        np.exp((middle + radius) * np.where(middle > 0, UPWARD, 1.0)) + SMALLEST_NORMAL
    ) * UPWARD * radius


def softplus(middle: Array, radius: Array) -> Enclosed:
    """Enclose the softplus, whose slope, the sigmoid, is at most 1.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    slope = np.minimum(_sigmoid(middle + radius) * UPWARD + SMALLEST_NORMAL, 1.0)
    return _softplus(middle), slope * UPWARD * radius


def softplus_replacement(middle: Array, radius: Array) -> Array:
    """Bound what torch's softplus and its slope are off beyond `SOFTPLUS_END`; `ball_functions` has the reasons.

    Args:
        middle: The midpoints.
        radius: The radii.

    Returns:
        The bounds; zero where no member lies beyond.
    """
    lowest = np.maximum((middle - radius) / UPWARD, SOFTPLUS_END)
    highest = np.where(radius > 0, (middle + radius) * UPWARD, middle)
    return np.where(highest > SOFTPLUS_END, (np.exp(-lowest) + SMALLEST_NORMAL) * UPWARD, 0.0)


def sqrt(middle: Array, radius: Array) -> Enclosed:
    """Enclose the square root, whose slope is largest at the lower end; not finite where a ball reaches zero.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    lower = np.where(middle > 0, _smallest_size(middle, radius), 0.0)
    return np.sqrt(middle), radius / (2 * np.sqrt(np.where(lower > 0, lower, np.nan))) * UPWARD


def inverse_deviation(middle: Array, radius: Array) -> Enclosed:
    """Enclose 1 / sqrt(variance + epsilon) of rows; `ball_functions.inverse_deviation` has the reasons.

    Args:
        middle: The midpoints of rows, (B, d).
        radius: The radii.
    """
    value = _inverse_deviation(middle)
    deviation = 1 / value
    moved = np.sqrt((radius * radius).mean(axis=-1, keepdims=True)) * UPWARD
    least = np.maximum((deviation - moved) / UPWARD, np.sqrt(float(LAYER_NORM_EPSILON)) / UPWARD)
    return value, moved / (least * deviation) * UPWARD


FUNCTIONS: dict[Function, Callable[[Array, Array], Enclosed]] = {
    Function.SIGMOID: sigmoid,
    Function.TANH: tanh,
    Function.LOG: log,
    Function.RELU: relu,
    Function.STEP: step,
    Function.EXP: exp,
    Function.SOFTPLUS: softplus,
    Function.SOFTPLUS_SLOPE: sigmoid,
    Function.SQRT: sqrt,
}
"""The functions that act entry by entry."""
