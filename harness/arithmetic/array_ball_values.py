"""The values of `ArrayBallArithmetic`: midpoints and radii, stored or on their way into a sum."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, cast

from rnn_harness.arithmetic.array_operations import operations_of
from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF, UPWARD
from rnn_harness.array_types import Array

MIDPOINT_UNIT = float(UNIT_ROUNDOFF["float64"])
"""The unit roundoff of the midpoints."""


class ArrayBall:
    """Stored values.

    Attributes:
        middle: The midpoints, float64: a NumPy array, or a torch tensor, as `array_operations.py` says.
        radius: The radii, float64, of the same shape.
        is_exact: Whether all radii are known to be zero.
    """

    __slots__ = ("is_exact", "middle", "radius")

    def __init__(self, middle: Array, radius: Array, is_exact: bool = False) -> None:
        self.middle, self.radius, self.is_exact = middle, radius, is_exact

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the midpoints."""
        return tuple(self.middle.shape)

    @property
    def is_finite(self) -> bool:
        """Whether every midpoint and radius is finite: only then is anything claimed."""
        ops = operations_of(self.middle)
        return bool(ops.isfinite(self.middle).all() and ops.isfinite(self.radius).all())

    @property
    def size(self) -> Array:
        """The largest absolute value of a member, entry by entry (to within a rounding)."""
        return abs(self.middle) if self.is_exact else abs(self.middle) + self.radius

    @property
    def T(self) -> ArrayBall:
        """The transposed values: an array ball offers what maps of parameters do with an array."""
        if len(self.shape) < 2:  # torch transposes matrices alone
            return self
        return ArrayBall(self.middle.T, self.radius.T, self.is_exact)

    def __getitem__(self, index: object) -> ArrayBall:
        place = cast("Any", index)
        return ArrayBall(self.middle[place], self.radius[place], self.is_exact)

    def __neg__(self) -> ArrayBall:
        return ArrayBall(-self.middle, self.radius, self.is_exact)

    def __add__(self, other: ArrayBall) -> ArrayBall:
        middle = self.middle + other.middle
        return ArrayBall(middle, (self.radius + other.radius + MIDPOINT_UNIT * abs(middle)) * UPWARD)


class OpenArrayBall:
    """A sum not yet rounded to the format; see `OpenSum`, whose fields these are.

    Attributes:
        middle: The sum's midpoints.
        radius: Its radii, without what the implementation may round in it.
        mass: The sum of the terms' largest sizes.
        terms: The number of terms.
        products: Whether a term is itself an unrounded product.
        parts: How many terms an implementation may store before it adds them: a matrix product is one part.
        addends: How many terms are biases, which an implementation may hold in parts.
    """

    __slots__ = ("addends", "mass", "middle", "parts", "products", "radius", "terms")

    def __init__(
        self,
        middle: Array,
        radius: Array,
        mass: Array,
        terms: int,
        products: bool,
        parts: int = 1,
        addends: int = 0,
    ) -> None:
        self.middle, self.radius, self.mass = middle, radius, mass
        self.terms, self.products, self.parts, self.addends = terms, products, parts, addends


@functools.lru_cache(maxsize=4096)
def growth(unit: float, roundings: int, wide: float = 0.0, wide_roundings: int = 0) -> float:
    """Return an upper bound of (1 - unit)^-roundings (1 - wide)^-wide_roundings - 1.

    Args:
        unit: A unit roundoff.
        roundings: How many roundings of it.
        wide: The unit roundoff of another format.
        wide_roundings: How many roundings of that one.
    """
    exponent = -roundings * math.log1p(-unit) - wide_roundings * math.log1p(-wide)
    return math.expm1(exponent) * UPWARD if exponent < 700 else math.inf


def stacked(balls: Sequence[ArrayBall]) -> ArrayBall:
    """Join balls of one shape along a new first axis.

    Args:
        balls: At least one.
    """
    ops = operations_of(balls[0].middle)
    middle, radius = ops.stack([ball.middle for ball in balls]), ops.stack([ball.radius for ball in balls])
    return ArrayBall(middle, radius, all(ball.is_exact for ball in balls))


def joined(balls: Sequence[ArrayBall]) -> ArrayBall:
    """Join batches of balls below each other.

    Args:
        balls: At least one, (B, d) each.
    """
    ops = operations_of(balls[0].middle)
    middle, radius = ops.concatenate([ball.middle for ball in balls]), ops.concatenate([ball.radius for ball in balls])
    return ArrayBall(middle, radius, all(ball.is_exact for ball in balls))


def wider(balls: Sequence[ArrayBall]) -> ArrayBall:
    """Return balls that hold all of several around the same true values: those of the forms of one equation.

    Args:
        balls: At least one, all of one shape.
    """
    first = balls[0]
    ops, radius = operations_of(first.middle), first.radius
    for ball in balls[1:]:
        radius = ops.maximum(radius, (abs(ball.middle - first.middle) * UPWARD + ball.radius) * UPWARD)
    return first if len(balls) == 1 else ArrayBall(first.middle, radius)
