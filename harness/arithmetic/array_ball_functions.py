"""Functions of midpoints and radii by the mean value theorem: f(middle), and a bound on sup abs(f') times the radius.

Each function here takes midpoints and radii and returns f(middle), as NumPy or torch computes it, and a spread that f
of a member may lie off the *exact* f(middle), up to a factor of `UPWARD`. What that f rounds is added by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rnn_harness.arithmetic.array_operations import operations_of
from rnn_harness.arithmetic.assumptions import LAYER_NORM_EPSILON, SMALLEST_NORMAL, SOFTPLUS_END, UPWARD
from rnn_harness.array_types import Array
from rnn_harness.specs.expression import Function

Enclosed = tuple[Array, Array]
"""Values at the midpoints, and how far the values of other members may lie from them."""


def _smallest_size(middle: Array, radius: Array) -> Array:
    """Return a lower bound of the absolute value of every member: a difference is rounded once."""
    ops = operations_of(middle)
    distance = (abs(middle) - radius) / UPWARD
    return ops.where(distance > 0, distance, 0.0)


def _sigmoid(x: Array) -> Array:
    """Compute 1 / (1 + exp(-x)) without overflow."""
    ops = operations_of(x)
    power = ops.exp(-abs(x))
    value: Array = ops.where(x < 0, power, 1.0) / (1 + power)
    return value


def sigmoid(middle: Array, radius: Array) -> Enclosed:
    """Enclose the sigmoid. Its slope e / (1 + e)^2, e = exp(-abs(x)), is largest at the point next to zero.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    ops = operations_of(middle)
    power = ops.maximum(ops.exp(-_smallest_size(middle, radius)), SMALLEST_NORMAL)
    return _sigmoid(middle), power / ((1 + power) * (1 + power)) * UPWARD * radius


def tanh(middle: Array, radius: Array) -> Enclosed:
    """Enclose tanh. Its slope 4 e / (1 + e)^2, e = exp(-2 abs(x)), is largest at the point next to zero.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    ops = operations_of(middle)
    power = ops.maximum(ops.exp(-2 * _smallest_size(middle, radius)), SMALLEST_NORMAL)
    return ops.tanh(middle), 4 * power / ((1 + power) * (1 + power)) * UPWARD * radius


def log(middle: Array, radius: Array) -> Enclosed:
    """Enclose the logarithm, whose slope 1 / x is largest at the lower end; not finite where a ball reaches zero.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    ops = operations_of(middle)
    lower = ops.where(middle > 0, _smallest_size(middle, radius), 0.0)
    return ops.log(middle), radius / ops.where(lower > 0, lower, math.nan) * UPWARD


def relu(middle: Array, radius: Array) -> Enclosed:
    """Enclose ReLU, whose slope is 0 or 1; where a ball contains zero, 1 bounds it.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    ops = operations_of(middle)
    return ops.where(middle > 0, middle, 0.0), ops.where(middle + radius < 0, 0.0, radius)


def step(middle: Array, radius: Array) -> Enclosed:
    """Enclose the step function: 1 above zero, else 0; where a ball contains zero and more, 1/2 +- 1/2.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    ops = operations_of(middle)
    above, below = middle > radius, middle <= -radius
    value = ops.where(above, 1.0, ops.where(below, 0.0, 0.5))
    return value, ops.where(above | below, 0.0, 0.5 * UPWARD)


def softmax(middle: Array, radius: Array) -> tuple[Array, Array, float]:
    """Enclose the softmax of a row; `ball_functions.softmax` has the reasons.

    Args:
        middle: The midpoints of one row.
        radius: The radii.

    Returns:
        Values, how far those of other members may lie from them, and the largest distance of two members.
    """
    ops = operations_of(middle)
    powers = ops.exp(middle - middle.max())
    value = powers / powers.sum()
    grow = ops.exp(2 * radius.max()) * UPWARD
    bounds = ops.minimum((value + SMALLEST_NORMAL) * grow * UPWARD, 1.0)
    moved = bounds * radius
    remaining = moved.sum() - moved
    share = 1 - value / (grow * UPWARD)
    # What is subtracted may cancel: as much as rounding can make of it is added.
    remaining = ops.where(remaining > 0, remaining, 0.0) + (UPWARD - 1) * moved.sum()
    distance = float((middle + radius).max() - (middle - radius).min()) * UPWARD
    return value, bounds * (share * radius + remaining) * UPWARD, distance


def exp(middle: Array, radius: Array) -> Enclosed:
    """Enclose the exponential, which is its own slope and largest at the upper end.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    ops = operations_of(middle)
    return ops.exp(middle), (
        ops.exp((middle + radius) * ops.where(middle > 0, UPWARD, 1.0)) + SMALLEST_NORMAL
    ) * UPWARD * radius


def softplus(middle: Array, radius: Array) -> Enclosed:
    """Enclose the softplus, whose slope, the sigmoid, is at most 1.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    ops = operations_of(middle)
    slope = ops.minimum(_sigmoid(middle + radius) * UPWARD + SMALLEST_NORMAL, 1.0)
    return ops.softplus(middle), slope * UPWARD * radius


def softplus_replacement(middle: Array, radius: Array) -> Array:
    """Bound what torch's softplus and its slope are off beyond `SOFTPLUS_END`; `ball_functions` has the reasons.

    Args:
        middle: The midpoints.
        radius: The radii.

    Returns:
        The bounds; zero where no member lies beyond.
    """
    ops = operations_of(middle)
    lowest = ops.maximum((middle - radius) / UPWARD, SOFTPLUS_END)
    highest = ops.where(radius > 0, (middle + radius) * UPWARD, middle)
    return ops.where(highest > SOFTPLUS_END, (ops.exp(-lowest) + SMALLEST_NORMAL) * UPWARD, 0.0)


def sqrt(middle: Array, radius: Array) -> Enclosed:
    """Enclose the square root, whose slope is largest at the lower end; not finite where a ball reaches zero.

    Args:
        middle: The midpoints.
        radius: The radii.
    """
    ops = operations_of(middle)
    lower = ops.where(middle > 0, _smallest_size(middle, radius), 0.0)
    return ops.sqrt(middle), radius / (2 * ops.sqrt(ops.where(lower > 0, lower, math.nan))) * UPWARD


def inverse_deviation(middle: Array, radius: Array) -> Enclosed:
    """Enclose 1 / sqrt(variance + epsilon) of rows; `ball_functions.inverse_deviation` has the reasons.

    Args:
        middle: The midpoints of rows, (B, d).
        radius: The radii.
    """
    ops = operations_of(middle)
    centred = middle - middle.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    value = ops.broadcast(1 / ops.sqrt(variance + float(LAYER_NORM_EPSILON)), tuple(middle.shape))
    deviation = 1 / value
    moved = ops.sqrt((radius * radius).mean(axis=-1, keepdims=True)) * UPWARD
    least = ops.maximum((deviation - moved) / UPWARD, math.sqrt(LAYER_NORM_EPSILON) / UPWARD)
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
