"""Balls as arrays: what `BallArithmetic` bounds, in float64 midpoints and radii, at any size.

The claim. Every value is a midpoint m and a radius r >= 0 (float64 arrays, in NumPy or in torch) such that the ball of
`BallArithmetic` with the same `Rounding` lies in [m - r, m + r], entry by entry: the true value, and whatever an
implementation may compute in the format. Where a midpoint or a radius is not finite, nothing is claimed
(`ArrayBall.is_finite`).

The proof is by induction over the operations. Let v = 2^-53. In exact arithmetic every radius here is the sum of

* what is passed on of the operands' radii, as in ball arithmetic: |a| s + r |b| + r s of a product, the sum of such
  terms of a matrix product (Rump 1999, *Fast and parallel interval arithmetic*), sup |f'| r of a function;
* what the implementation may add: the same expressions in unit, mass, size, terms and parts as in `ball.py`, which has
  their proof. The mass and the size here are at least those there, since |m| + r is at least the largest size of a
  member;
* what this module's own float64 midpoint may add: v |m| for a sum, a product, a quotient; ((1 - v)^-k - 1) times the
  mass for k terms that BLAS, NumPy or torch add in whatever order, fused or not (Higham 2002, section 3.1; no rounding
  mode is switched, Rump 2012), or the bound of `signed_sums.py`, if that is smaller; `FUNCTION_ROUNDINGS` v times the
  value for their own functions, which is assumed of them as of every other implementation (`array_operations.py` says
  what else they must keep to, and why they do).
  A float64 sum that underflows is exact; a product is off by at most 2^-1075, so each product adds
  `RADIUS_UNDERFLOW` = 2^-1070.

All these terms are non-negative, and so are all numbers that the radius is computed from: q float64 operations give at
least (1 - v)^q times the exact radius, less q 2^-1075 where they underflow, which `RADIUS_UNDERFLOW` holds as well.
The factor `UPWARD` = 1 + 2^-24 makes good for it as long as q <= 2^28, more terms than any sum in memory has; powers
(1 - u)^-k - 1 are computed by expm1 and log1p, which are far more precise than that. It also makes good for the 30 bits
to which Arb rounds its own radii upward, a few times an operation.

So the bound is that of `BallArithmetic` and, for a format as precise as the midpoints, as much again for their own
rounding: at most 2.5 times Arb's for float64, 1.05 times for narrower formats (tests/unit/arithmetic measures it). The
exceptions are ReLU and its slope where the wider ball reaches zero and Arb's does not: there the true value is held,
and the bound says less.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from fractions import Fraction

from rnn_harness.arithmetic.array_ball_functions import (
    FUNCTIONS,
    inverse_deviation,
    softmax,
    softplus_replacement,
)
from rnn_harness.arithmetic.array_ball_values import MIDPOINT_UNIT, ArrayBall, OpenArrayBall, growth, stacked
from rnn_harness.arithmetic.array_operations import NUMPY, ArrayOperations
from rnn_harness.arithmetic.assumptions import FUNCTION_ROUNDINGS, RADIUS_UNDERFLOW, UNDERFLOW, UNIT_ROUNDOFF, UPWARD
from rnn_harness.arithmetic.ball_functions import REPLACED_BY_LIBRARIES
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.arithmetic.signed_sums import sum_rounding
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function


class ArrayBallArithmetic:
    """Evaluation in midpoints and radii; the claim and its proof stand above.

    Attributes:
        fused: False: balls are no numbers.

    Args:
        rounding: What an implementation may round at each operation; with a unit of zero, what is computed alone.
        operations: What midpoints and radii are computed with: NumPy, or torch on a device.
    """

    def __init__(self, rounding: Rounding, operations: ArrayOperations = NUMPY) -> None:
        self.fused = False
        self._operations = operations
        self._unit, self._underflow = float(rounding.unit), float(rounding.underflow)
        self._wide = None if rounding.wide is None else float(rounding.wide)
        self._operand_growth = 0.0 if rounding.operands is None else growth(_upward(rounding.operands), 2)
        self._functions = 0.0 if rounding.functions is None else _upward(rounding.functions)
        self._absolute = 0.0 if rounding.absolute is None else _upward(rounding.absolute)
        # Without rounding (a unit of zero) every constant is held exactly that float64 holds.
        self._largest_whole = int(1 / rounding.unit) if rounding.unit else 2**1024
        self._more_parts = rounding.bias_parts - 1
        self._sizes: dict[int, tuple[ArrayBall, Array]] = {}
        self._transposed: dict[int, tuple[ArrayBall, ArrayBall]] = {}

    @classmethod
    def of(cls, dtype: str) -> ArrayBallArithmetic:
        """Return the arithmetic whose radii bound an implementation that rounds every result to `dtype`.

        Args:
            dtype: The name of a dtype.
        """
        return cls(Rounding(UNIT_ROUNDOFF[dtype], UNDERFLOW[dtype]))

    def scope(self) -> AbstractContextManager[None]:
        """Let numbers overflow and underflow without a warning: what is not finite claims nothing."""
        return self._operations.scope()

    def number(self, value: Fraction) -> ArrayBall:
        """Convert a constant: rounded unless it is a whole number over a power of two, short enough for the format."""
        middle = self._operations.zeros((1, 1)) + float(value)
        dyadic = value.denominator & (value.denominator - 1) == 0
        if dyadic and abs(value.numerator) <= self._largest_whole and Fraction(float(value)) == value:
            return ArrayBall(middle, middle * 0.0, True)
        return self._rounded(middle, abs(middle) * MIDPOINT_UNIT * UPWARD, abs(middle) * UPWARD, 1)

    def array(self, value: Array | ArrayBall) -> ArrayBall:
        if isinstance(value, ArrayBall):
            return value
        middle = self._operations.converted(value)
        return ArrayBall(middle, middle * 0.0, True)

    def before_storing(self, value: Array) -> ArrayBall:
        """Return balls that hold what an implementation had before it stored these numbers: it may go on with either.

        Args:
            value: Numbers that an implementation gave.
        """
        middle = self._operations.converted(value)
        return self._rounded(middle, middle * 0.0, abs(middle), 1)

    def _rounded(
        self, middle: Array, radius: Array, mass: Array, roundings: int, flushed: int = 1, wide: int = 0
    ) -> ArrayBall:
        """Widen by so many roundings of `mass`, `wide` more in the format of sums, and by `flushed` underflows."""
        return self._widened(middle, radius, mass * growth(self._unit, roundings, self._wide or 0.0, wide), flushed)

    def _widened(self, middle: Array, radius: Array, rounding: Array, flushed: int) -> ArrayBall:
        """Widen by what roundings may be off together, and by `flushed` underflows."""
        widened: Array = rounding + radius  # either may be of a larger shape; the rest is done in place
        widened += self._underflow * flushed + RADIUS_UNDERFLOW
        widened *= UPWARD
        return ArrayBall(middle, widened)

    def settle(self, value: ArrayBall | OpenArrayBall) -> ArrayBall:
        """Return the ball of a value once it is stored: an open sum is rounded."""
        if isinstance(value, ArrayBall):
            return value
        middle, radius = value.middle, value.radius
        if value.terms == 1 and not value.products:
            return ArrayBall(middle, radius)
        further = self._further(value)
        if value.terms == 1 or (value.terms == 2 and not value.products and not further):
            return self._rounded(middle, radius, abs(middle) + radius, 1)
        flushed = 2 * (value.terms + further)
        if self._wide is not None:
            return self._rounded(middle, radius, value.mass, value.parts + further, flushed, value.terms + further)
        size = abs(middle) + radius
        rounding = sum_rounding(self._unit, value.terms, value.products, value.mass, size, further)
        return self._widened(middle, radius, rounding, flushed)

    def _further(self, value: OpenArrayBall) -> int:
        """Count the additions that an implementation may make besides, since it holds biases in parts."""
        return value.addends * self._more_parts

    def _open(self, value: ArrayBall | OpenArrayBall) -> OpenArrayBall:
        """Take a stored value as a sum of one term."""
        if isinstance(value, OpenArrayBall):
            return value
        return OpenArrayBall(value.middle, value.radius, value.size, 1, False, addends=int(len(value.shape) < 2))

    def _joined(self, middle: Array, a: OpenArrayBall, b: OpenArrayBall) -> OpenArrayBall:
        """Return the open sum of two whose midpoints were added or subtracted."""
        radius = (a.radius + b.radius + MIDPOINT_UNIT * abs(middle)) * UPWARD
        terms, products = a.terms + b.terms, a.products or b.products
        return OpenArrayBall(middle, radius, a.mass + b.mass, terms, products, a.parts + b.parts, a.addends + b.addends)

    def add(self, x1: ArrayBall | OpenArrayBall, x2: ArrayBall | OpenArrayBall) -> OpenArrayBall:
        a, b = self._open(x1), self._open(x2)
        return self._joined(a.middle + b.middle, a, b)

    def subtract(self, x1: ArrayBall | OpenArrayBall, x2: ArrayBall | OpenArrayBall) -> OpenArrayBall:
        a, b = self._open(x1), self._open(x2)
        return self._joined(a.middle - b.middle, a, b)

    def multiply(self, x1: ArrayBall | OpenArrayBall, x2: ArrayBall | OpenArrayBall) -> OpenArrayBall:
        middle, radius = self._product(self.settle(x1), self.settle(x2))
        return OpenArrayBall(middle, radius, abs(middle) + radius, 1, True)

    def _product(self, a: ArrayBall, b: ArrayBall) -> tuple[Array, Array]:
        """Multiply entry by entry: midpoints and radii of the unrounded products."""
        middle = a.middle * b.middle
        radius = MIDPOINT_UNIT * abs(middle) + RADIUS_UNDERFLOW
        if not b.is_exact:
            radius = radius + abs(a.middle) * b.radius
        if not a.is_exact:
            radius = radius + a.radius * b.size
        return middle, radius * UPWARD

    def divide(self, x1: ArrayBall | OpenArrayBall, x2: ArrayBall | OpenArrayBall) -> ArrayBall:
        """Divide: with q the quotient of the midpoints, x/y - q = ((x - mid x) - q (y - mid y)) / y."""
        a, b = self.settle(x1), self.settle(x2)
        middle = a.middle / b.middle
        smallest = (abs(b.middle) - b.radius) / UPWARD
        underflow = 0.0 if a.is_exact and b.is_exact else RADIUS_UNDERFLOW
        # The quotient q that the spread is taken with is the computed one; its own rounding comes on top.
        numerator = a.radius + (abs(middle) * UPWARD + underflow) * b.radius + underflow
        spread = numerator / self._operations.where(smallest > 0, smallest, math.nan)
        radius = (spread + MIDPOINT_UNIT * abs(middle) + RADIUS_UNDERFLOW) * UPWARD
        return self._rounded(middle, radius, abs(middle) + radius, 1)

    def _absolute_values(self, matrix: ArrayBall) -> Array:
        """Return the absolute midpoints of a parameter, computed once."""
        entry = self._sizes.get(id(matrix))
        if entry is None or entry[0] is not matrix:
            entry = (matrix, abs(matrix.middle))
            self._sizes[id(matrix)] = entry
        return entry[1]

    def matrix_vector(self, matrix: ArrayBall, vector: ArrayBall | OpenArrayBall) -> OpenArrayBall:
        x = self.settle(vector)
        sizes = self._absolute_values(matrix)
        radius: Array | None = None
        if x.is_exact:
            mass = abs(x.middle) @ sizes.T
        else:
            # One product of twice the rows is faster than two.
            both = self._operations.concatenate([x.size, x.radius]) @ sizes.T
            mass, radius = both[: len(x.middle)], both[len(x.middle) :]
        if not matrix.is_exact:
            inexact = x.size @ matrix.radius.T
            mass, radius = mass + inexact, inexact if radius is None else radius + inexact
        return self._matrix_product(x.middle, matrix.middle.T, radius, mass)

    def _product_of_midpoints(self, rows: Array, columns: Array, mass: Array) -> tuple[Array, Array]:
        """Multiply matrices of midpoints (m, k) and (k, n): the product, and what float64 may round in it."""
        product, terms = rows @ columns, rows.shape[1]
        rounding = mass * growth(MIDPOINT_UNIT, terms)
        if self._unit > MIDPOINT_UNIT:  # it is next to nothing
            return product, rounding
        return product, sum_rounding(MIDPOINT_UNIT, terms, True, mass, abs(product) + rounding)

    def _matrix_product(self, rows: Array, columns: Array, spread: Array | None, mass: Array) -> OpenArrayBall:
        """Return the open sum of a matrix product: with its own rounding, and with that of shortened operands.

        Both `spread`, which is None for exact operands, and `mass` are new arrays, of which `mass` is written to.
        """
        terms = rows.shape[1]
        mass += RADIUS_UNDERFLOW * terms
        middle, radius = self._product_of_midpoints(rows, columns, mass)
        if self._operand_growth:
            radius += mass * self._operand_growth
        if spread is not None:
            radius += spread
        radius += RADIUS_UNDERFLOW * terms
        radius *= UPWARD
        return OpenArrayBall(middle, radius, mass, terms, True)

    def vector_matrix(self, vector: ArrayBall | OpenArrayBall, matrix: ArrayBall) -> OpenArrayBall:
        return self.matrix_vector(self.transpose(matrix), vector)

    def transpose(self, matrix: ArrayBall) -> ArrayBall:
        """Transpose a matrix; the same matrix gives the same object, whose absolute values are computed once."""
        entry = self._transposed.get(id(matrix))
        if entry is None or entry[0] is not matrix:
            entry = (matrix, ArrayBall(matrix.middle.T, matrix.radius.T, matrix.is_exact))
            self._transposed[id(matrix)] = entry
        return entry[1]

    def concatenate(self, *parts: ArrayBall | OpenArrayBall) -> ArrayBall:
        balls = [self.settle(part) for part in parts]
        middle = self._operations.concatenate([ball.middle for ball in balls], axis=-1)
        radius = self._operations.concatenate([ball.radius for ball in balls], axis=-1)
        return ArrayBall(middle, radius, all(ball.is_exact for ball in balls))

    def slice(self, vector: ArrayBall | OpenArrayBall, start: int, stop: int) -> ArrayBall | OpenArrayBall:
        middle, radius = vector.middle[..., start:stop], vector.radius[..., start:stop]
        if isinstance(vector, ArrayBall):
            return ArrayBall(middle, radius, vector.is_exact)
        mass = vector.mass[..., start:stop]
        return OpenArrayBall(middle, radius, mass, vector.terms, vector.products, vector.parts, vector.addends)

    def apply(self, function: Function, argument: ArrayBall | OpenArrayBall) -> ArrayBall:
        x = self.settle(argument)
        if function is Function.IDENTITY:
            return x
        if function is Function.SOFTMAX:
            return self._softmax(x)
        if function is Function.MEAN:
            return self._row_mean(x)
        if function is Function.INVERSE_DEVIATION:
            return self._inverse_deviation(x)
        middle, spread = FUNCTIONS[function](x.middle, x.radius)
        if function in (Function.RELU, Function.STEP):
            return ArrayBall(middle, spread)
        own = growth(MIDPOINT_UNIT, FUNCTION_ROUNDINGS)
        radius = (spread + own * abs(middle) + RADIUS_UNDERFLOW) * UPWARD
        if self._unit and function in REPLACED_BY_LIBRARIES:
            radius = (radius + softplus_replacement(x.middle, x.radius)) * UPWARD
        if self._functions:
            radius = (radius + self._functions * (abs(middle) + radius)) * UPWARD
        if self._absolute:
            radius = (radius + self._absolute) * UPWARD
        return self._computed(middle, radius, FUNCTION_ROUNDINGS)

    def _computed(self, middle: Array, radius: Array, roundings: int) -> ArrayBall:
        """Round a function's value that often where functions are computed, then once as it is stored."""
        mass = abs(middle) + radius
        if self._wide is not None:
            return self._rounded(middle, radius, mass, 1, wide=roundings)
        return self._rounded(middle, radius, mass, roundings)

    def _softmax(self, x: ArrayBall) -> ArrayBall:
        """Compute exp(x - m) / sum row by row: error abs(x - m) u from each shift, the functions', k for the sum."""
        rows = []
        for middle, radius in zip(x.middle, x.radius, strict=True):
            value, spread, distance = softmax(middle, radius)
            if not math.isfinite(distance):
                rows.append(ArrayBall(value, value * math.nan))
                continue
            roundings = int(2 * distance) + 2 * FUNCTION_ROUNDINGS + len(middle) + 3
            flushed = 2 + len(middle)
            own = (spread + growth(MIDPOINT_UNIT, roundings) * value + RADIUS_UNDERFLOW * flushed) * UPWARD
            mass = value + own
            if self._wide is not None:
                rows.append(self._rounded(value, own, mass, 1, flushed, roundings))
            else:
                rows.append(self._rounded(value, own, mass, roundings, flushed))
        if not rows:
            return x
        return stacked(rows)

    def _row_mean(self, x: ArrayBall) -> ArrayBall:
        """Compute the mean of every row, as `BallArithmetic` does."""
        count = x.shape[-1]
        mass = x.size.mean(axis=-1, keepdims=True) * UPWARD
        middle = x.middle.mean(axis=-1, keepdims=True)
        radius = x.radius.mean(axis=-1, keepdims=True) + growth(MIDPOINT_UNIT, count + 1) * mass
        mean = self._rounded(middle, radius * UPWARD, mass, 2 * count + 4, 2 * count)
        repeat = self._operations.broadcast
        return ArrayBall(repeat(mean.middle, x.shape), repeat(mean.radius, x.shape))

    def _inverse_deviation(self, x: ArrayBall) -> ArrayBall:
        """Compute 1 / sqrt(v + e) of every row, as `BallArithmetic` does, which has the reasons.

        The midpoint's own value is off by as much again as an implementation's in float64 may be.
        """
        value, spread = inverse_deviation(x.middle, x.radius)
        size = (value + spread) * UPWARD
        square = (x.size * x.size).mean(axis=-1, keepdims=True) * UPWARD
        unit = self._unit if self._wide is None else self._wide
        share = (unit + MIDPOINT_UNIT) * 2 * (x.shape[-1] + 8) * square * size * size * UPWARD
        radius = spread + self._operations.where(share < 0.25, size * share, math.inf) + growth(MIDPOINT_UNIT, 4) * size
        return self._computed(value, radius * UPWARD, 3)

    def component(self, vector: ArrayBall | OpenArrayBall, index: IndexArray) -> ArrayBall:
        ball = self.settle(vector)
        take = self._operations.component
        return ArrayBall(take(ball.middle, index), take(ball.radius, index), ball.is_exact)

    def place(self, scalar: ArrayBall | OpenArrayBall, index: IndexArray, size: int) -> ArrayBall:
        ball = self.settle(scalar)
        place = self._operations.place
        return ArrayBall(place(ball.middle, index, size), place(ball.radius, index, size), ball.is_exact)

    def outer(self, x1: ArrayBall | OpenArrayBall, x2: ArrayBall | OpenArrayBall) -> OpenArrayBall:
        a, b = self.settle(x1), self.settle(x2)
        width = a.shape[1]
        spread: Array | None = None
        if a.is_exact:
            mass = abs(a.middle).T @ b.size
        else:
            # |a| |b| and rad a |b| as one product of twice the rows.
            both = self._operations.concatenate([a.size, a.radius], axis=1).T @ (
                abs(b.middle) if b.is_exact else b.size
            )
            mass, spread = both[:width], both[width:]
        if not b.is_exact:
            inexact = abs(a.middle).T @ b.radius
            spread = inexact if spread is None else spread + inexact
        return self._matrix_product(a.middle.T, b.middle, spread, mass)

    def dot(self, x1: ArrayBall | OpenArrayBall, x2: ArrayBall | OpenArrayBall) -> OpenArrayBall:
        middle, radius = self._product(self.settle(x1), self.settle(x2))
        terms = middle.shape[-1]
        mass = (abs(middle) + radius).sum(axis=-1, keepdims=True)
        total, own = self._sum_of_midpoints(middle, -1)
        spread = radius.sum(axis=-1, keepdims=True) + own
        return OpenArrayBall(total, spread * UPWARD, mass, terms, True)

    def _sum_of_midpoints(self, middle: Array, axis: int) -> tuple[Array, Array]:
        """Sum stored midpoints along an axis, which stays: the sum, and what float64 may round in it."""
        total, mass = middle.sum(axis=axis, keepdims=True), abs(middle).sum(axis=axis, keepdims=True) * UPWARD
        return total, sum_rounding(MIDPOINT_UNIT, middle.shape[axis], False, mass, mass)

    def batch_sum(self, value: ArrayBall | OpenArrayBall) -> OpenArrayBall:
        a = self._open(value)
        rows = a.middle.shape[0]
        total, own = self._sum_of_midpoints(a.middle, 0)
        radius = (a.radius.sum(axis=0) + own[0]) * UPWARD
        terms, addends = a.terms * rows, a.addends * rows
        # Each row's value may be stored before the sum, and the sum once more.
        return OpenArrayBall(total[0], radius, a.mass.sum(axis=0), terms, a.products, a.parts + 1, addends)

    def only_entry(self, value: ArrayBall) -> ArrayBall:
        return value[0, ...]


def _upward(value: Fraction) -> float:
    """Return a float64 number that is at least `value`."""
    return float(value) * UPWARD
