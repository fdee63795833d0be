"""Arb balls: the true value to 200 bits, and a proved bound on what rounding may do to it.

The claim. With ``unit=u``, every value is a ball whose midpoint is the true value (to the working precision) and
which contains whatever an implementation of the same expression computes in an arithmetic of unit roundoff u, if
each basic operation returns its exact result times (1 + e) with abs(e) <= u (or is off by at most the smallest
normal number where it underflows), and each elementary function is within `FUNCTION_ROUNDINGS` times u.

The proof is by induction over the tree. Ball arithmetic contains the exact result of an operation on every pair of
members, so on the computed operands; the ball is then widened by what the operation itself may add:

* one sum of two rounded numbers: one rounding of the largest member;
* a product, a quotient: the same;
* a sum of k terms, each a number or a product, in *any* order, fused or not: every term passes through at most k
  roundings, so is multiplied by at most (1 + u)^k and at least (1 - u)^k; the error is at most
  ((1 - u)^-k - 1) times the sum of the terms' largest sizes (Higham 2002, section 3.1; this form needs no k u < 1),
  or the smaller bound of `signed_sums.py`, where terms cancel. Sums are therefore kept open (`terms`, `mass`) until
  something other than a sum consumes them; ``W x + U h + b`` is one sum of n + d + 1 terms, however it is grouped.
  Of sums of numbers alone it is k - 1 roundings. Where an implementation may hold a bias as several numbers
  (`Rounding.bias_parts`), each of them but the first is one addition, and so one rounding, more (`addends`);
* a function: f of a ball is taken by the mean value form, f(mid) +- sup abs(f') rad, then widened; a softplus and its
  slope, where the ball reaches beyond `SOFTPLUS_END`, by what torch's are off there besides.

A `Rounding` may say that sums of products and functions are computed in a wider format (bfloat16 kernels accumulate
in float32): then the terms are rounded there, and only what is stored between them, the addends and partial sums of
whole products, in the narrow one. It may also say that the operands of matrix products are shortened first (TF32),
or that functions are only approximated.

Rounding fewer values than that (fused products, partial sums kept in a wider format) leaves a result inside: each
ball contains the exact result of its operands as well. Outside the claim: another expression for the same quantity
(``h + z (g - h)`` for ``(1 - z) h + z g``), operands flushed to zero before they are used, and overflow.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import flint
import numpy as np
from flint import arb, arb_mat, fmpq

from rnn_harness.arithmetic import ball_functions as _enclose
from rnn_harness.arithmetic.assumptions import (
    FUNCTION_ROUNDINGS,
    LAYER_NORM_EPSILON,
    REFERENCE_BITS,
    UNDERFLOW,
    UNIT_ROUNDOFF,
)
from rnn_harness.arithmetic.open_sum import OpenSum
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.arithmetic.signed_sums import most_roundings, round_sums, sum_shares
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Set Arb's working precision, in bits, for a while.

    Args:
        bits: The bits of the significand.
    """
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def exact(value: Fraction) -> arb:
    """Convert a rational to a ball, exact where it is dyadic.

    Args:
        value: A fraction.
    """
    return arb(fmpq(value.numerator, value.denominator))


def _entrywise(function: Callable[[arb], object]) -> Callable[[Array], Array]:
    """Apply a function of a ball to every entry of an object array."""
    return cast("Callable[[Array], Array]", np.frompyfunc(function, 1, 1))


def _entrywise_pair(function: Callable[[arb, arb], arb]) -> Callable[[Array, Array], Array]:
    """Apply a function of two balls to every pair of entries of two object arrays."""
    return cast("Callable[[Array, Array], Array]", np.frompyfunc(function, 2, 1))


_upper = _entrywise(lambda x: x.abs_upper())
_to_arb = _entrywise(arb)
_widen = _entrywise_pair(lambda x, radius: x + arb(0, radius))
_middle = _entrywise(lambda x: x.mid())
_radius = _entrywise(lambda x: arb(x.rad()))
_is_exact = _entrywise(lambda x: x.is_exact())
_quotient = _entrywise_pair(_enclose.quotient)


@dataclass(frozen=True, slots=True)
class _Matrix:
    """A parameter in the forms that products need.

    Attributes:
        source: The parameter, an object array of arb (m, n).
        balls: The same as an Arb matrix.
        middles: Its midpoints.
        sizes: The largest absolute values of its entries.
        is_exact: Whether no entry has a radius.
    """

    source: Array
    balls: arb_mat
    middles: arb_mat
    sizes: arb_mat
    is_exact: bool


def _array(matrix: arb_mat) -> Array:
    return np.array(matrix.tolist(), dtype=object)


def _product(x1: Array, x2: Array) -> Array:
    return _array(arb_mat(x1.tolist()) * arb_mat(x2.tolist()))


_FUNCTIONS = {function: _entrywise(enclosed) for function, enclosed in _enclose.FUNCTIONS.items()}
_softplus_replacement = _entrywise(_enclose.softplus_replacement)


class BallArithmetic:
    """Ball evaluation: without `rounding` the ball is the true value; with it, the rounding bound (see above).

    Attributes:
        bits: Arb's working precision.
        fused: False: balls are no numbers.

    Args:
        rounding: What an implementation rounds; None for the true value.
        bits: Arb's working precision; far above the implementation's: Arb's own error does not show in the bound.
    """

    def __init__(self, rounding: Rounding | None = None, bits: int = REFERENCE_BITS) -> None:
        self.bits, self.fused = bits, False
        self._growth = functools.cache(self._computed_growth)
        self._rounded = rounding is not None
        with precision(bits):
            if rounding is not None:
                self._unit, self._underflow = exact(rounding.unit), exact(rounding.underflow)
                self._wide = None if rounding.wide is None else exact(rounding.wide)
                self._operands = None if rounding.operands is None else exact(rounding.operands)
                self._functions = None if rounding.functions is None else exact(rounding.functions)
                self._absolute = None if rounding.absolute is None else exact(rounding.absolute)
                self._largest_whole = int(1 / rounding.unit)
                self._more_parts = rounding.bias_parts - 1
        self._matrices: dict[int, _Matrix] = {}
        self._transposed: dict[int, tuple[Array, Array]] = {}

    @classmethod
    def of(cls, dtype: str) -> BallArithmetic:
        """Return the arithmetic whose radii bound an implementation that rounds every result to `dtype`.

        Args:
            dtype: The name of a dtype.
        """
        return cls(Rounding(UNIT_ROUNDOFF[dtype], UNDERFLOW[dtype]))

    def scope(self) -> AbstractContextManager[None]:
        """Set the working precision for as long as values are computed."""
        return precision(self.bits)

    def number(self, value: Fraction) -> Array:
        """Convert a constant: rounded unless it is a whole number over a power of two, short enough for the format."""
        ball = np.array([[exact(value)]], dtype=object)
        dyadic = value.denominator & (value.denominator - 1) == 0
        if not self._rounded or (dyadic and abs(value.numerator) <= self._largest_whole):
            return ball
        return self._round(ball, _upper(ball), 1)

    def array(self, value: Array) -> Array:
        array = np.asarray(value)  # a scalar's ball has no array around it
        return array if array.dtype == object else np.asarray(_to_arb(array.astype(np.float64).astype(object)), object)

    def _round(self, value: Array, mass: Array, roundings: int, flushed: int = 1, wide: int = 0) -> Array:
        """Widen by so many roundings of `mass`, `wide` more in the format of sums, and by `flushed` underflows."""
        if not self._rounded or roundings + wide == 0:
            return value
        return _widen(value, mass * self._growth(roundings, wide) + self._underflow * flushed)

    def _computed_growth(self, roundings: int, wide: int = 0) -> arb:
        """Bound what so many roundings add to a number of size 1, `wide` of them in the format of sums."""
        factor = (1 - self._unit) ** -roundings
        if wide and self._wide is not None:
            factor *= (1 - self._wide) ** -wide
        return (factor - 1).abs_upper()

    def settle(self, value: Array | OpenSum) -> Array:
        """Return the ball of a value once it is stored: an open sum is rounded."""
        if not isinstance(value, OpenSum):
            return value
        if value.terms == 1:
            return self._round(value.value, _upper(value.value), 1) if value.products else value.value
        if not self._rounded:
            return value.value
        further = value.addends * self._more_parts
        if value.terms == 2 and not value.products and not further:
            return self._round(value.value, _upper(value.value), 1)
        flushed = 2 * (value.terms + further)
        if self._wide is not None:
            return self._round(value.value, value.mass, value.parts + further, flushed, wide=value.terms + further)
        shares = sum_shares(self._unit, self._growth, value.terms, value.products, further)
        in_any_case = self._growth(most_roundings(value.terms, value.products, further))
        return round_sums(value.value, value.mass, shares, in_any_case, self._underflow * flushed)

    def _open(self, value: Array | OpenSum) -> OpenSum:
        """Take a stored value as a sum of one term; a parameter has no batch axis."""
        if isinstance(value, OpenSum):
            return value
        return OpenSum(value, _upper(value), 1, False, addends=int(np.ndim(value) < 2))

    def add(self, x1: Array | OpenSum, x2: Array | OpenSum) -> OpenSum:
        a, b = self._open(x1), self._open(x2)
        return self._joined(a.value + b.value, a, b)

    def subtract(self, x1: Array | OpenSum, x2: Array | OpenSum) -> OpenSum:
        a, b = self._open(x1), self._open(x2)
        return self._joined(a.value - b.value, a, b)

    def _joined(self, value: Array, a: OpenSum, b: OpenSum) -> OpenSum:
        """Return the open sum of two whose balls were added or subtracted."""
        terms, products = a.terms + b.terms, a.products or b.products
        return OpenSum(value, a.mass + b.mass, terms, products, a.parts + b.parts, a.addends + b.addends)

    def multiply(self, x1: Array | OpenSum, x2: Array | OpenSum) -> OpenSum:
        product = self.settle(x1) * self.settle(x2)
        return OpenSum(product, _upper(product), 1, True)

    def divide(self, x1: Array | OpenSum, x2: Array | OpenSum) -> Array:
        quotient: Array = _quotient(self.settle(x1), self.settle(x2))
        return self._round(quotient, _upper(quotient), 1)

    def _matrix(self, matrix: Array) -> _Matrix:
        """Return a parameter's Arb matrices, computed once."""
        forms = self._matrices.get(id(matrix))
        if forms is None or forms.source is not matrix:
            balls, middles, sizes = (arb_mat(part.tolist()) for part in (matrix, _middle(matrix), _upper(matrix)))
            forms = _Matrix(matrix, balls, middles, sizes, bool(_is_exact(matrix).all()))
            self._matrices[id(matrix)] = forms
        return forms

    def matrix_vector(self, matrix: Array, vector: Array | OpenSum) -> OpenSum:
        x = self.settle(vector)
        forms = self._matrix(matrix)
        if not self._rounded or not forms.is_exact:
            product = _array(forms.balls * arb_mat(x.T.tolist())).T
            mass = product if not self._rounded else _array(forms.sizes * arb_mat(_upper(x).T.tolist())).T
            return self._shortened(OpenSum(product, mass, matrix.shape[1], True))
        # Arb's products of wide balls drop digits of the midpoint: it is computed apart from the radius.
        middle = _array(forms.middles * arb_mat(_middle(x).T.tolist())).T
        both = _array(forms.sizes * arb_mat(np.concatenate([_upper(x), _radius(x)]).T.tolist())).T
        return self._shortened(OpenSum(_widen(middle, both[len(x) :]), both[: len(x)], matrix.shape[1], True))

    def _shortened(self, product: OpenSum) -> OpenSum:
        """Widen a matrix product whose operands were shortened first: every term twice."""
        if self._rounded and self._operands is not None:
            growth = ((1 - self._operands) ** -2 - 1).abs_upper()
            product.value = _widen(product.value, product.mass * growth)
        return product

    def vector_matrix(self, vector: Array | OpenSum, matrix: Array) -> OpenSum:
        return self.matrix_vector(self.transpose(matrix), vector)

    def transpose(self, matrix: Array) -> Array:
        """Transpose a matrix; the same matrix gives the same object, whose Arb matrices are computed once."""
        entry = self._transposed.get(id(matrix))
        if entry is None or entry[0] is not matrix:
            entry = (matrix, matrix.T)
            self._transposed[id(matrix)] = entry
        return entry[1]

    def concatenate(self, *parts: Array | OpenSum) -> Array:
        return np.concatenate([self.settle(part) for part in parts], axis=-1)

    def slice(self, vector: Array | OpenSum, start: int, stop: int) -> Array | OpenSum:
        if not isinstance(vector, OpenSum):
            return vector[..., start:stop]
        # A part of a sum is a sum: a kernel may add it to others before anything is rounded.
        value, mass = vector.value[..., start:stop], vector.mass[..., start:stop]
        return OpenSum(value, mass, vector.terms, vector.products, vector.parts, vector.addends)

    def apply(self, function: Function, argument: Array | OpenSum) -> Array:
        x = self.settle(argument)
        if function is Function.IDENTITY:
            return x
        if function is Function.SOFTMAX:
            return self._softmax(x)
        if function is Function.MEAN:
            return self._row_mean(x)
        if function is Function.INVERSE_DEVIATION:
            return self._inverse_deviation(x)
        value = _FUNCTIONS[function](x)
        if function in (Function.RELU, Function.STEP):
            return np.asarray(value, dtype=object)
        if self._rounded and function in _enclose.REPLACED_BY_LIBRARIES:
            value = _widen(value, _softplus_replacement(x))
        if self._rounded and self._functions is not None:
            value = _widen(value, _upper(value) * self._functions)
        if self._rounded and self._absolute is not None:
            value = _widen(value, np.full(np.shape(value), self._absolute, dtype=object))
        return self._computed(value, FUNCTION_ROUNDINGS)

    def _computed(self, value: Array, roundings: int, flushed: int = 1) -> Array:
        """Round a function's value that often where functions are computed, then once as it is stored."""
        if self._rounded and self._wide is not None:
            return self._round(value, _upper(value), 1, flushed, wide=roundings)
        return self._round(value, _upper(value), roundings, flushed)

    def _softmax(self, x: Array) -> Array:
        """Compute exp(x - m) / sum: error abs(x - m) u from each shift, the functions', k for the sum, 2 more."""
        rows = []
        for row in x:
            value = np.array(_enclose.softmax(list(row)), dtype=object)
            spread = max(float((a - b).abs_upper()) for a in row for b in row)
            roundings = int(2 * spread) + 2 * FUNCTION_ROUNDINGS + len(row) + 3
            rows.append(self._computed(value, roundings, 2 + len(row)))
        return np.array(rows, dtype=object).reshape(x.shape)

    def _row_mean(self, x: Array) -> Array:
        """Compute the mean of every row: a sum of d terms in any order, and a quotient.

        It is counted twice over: x s - m s in the place of (x - m) s rounds x s and m s, which are at most d and one
        times the mean size of an entry, in the place of their difference.
        """
        count = x.shape[-1]
        mean = x.sum(axis=-1, keepdims=True) / arb(count)
        mass = _upper(x).sum(axis=-1, keepdims=True) / arb(count)
        rounded = self._round(mean, mass, 2 * count + 4, 2 * count)
        return np.asarray(np.broadcast_to(rounded, x.shape).copy(), dtype=object)

    def _inverse_deviation(self, x: Array) -> Array:
        """Compute 1 / sqrt(v + e) of every row, however v is summed: as the mean square about the mean, or less it.

        The mean square and the mean are off by at most k roundings of their terms, k = d + 4; so the variance is off by
        at most 2 k roundings of the mean square, and its root by half of that over the variance, while this is small;
        it is counted whole, for terms of higher order. Then come three roundings: sum, root, quotient.
        """
        count = x.shape[-1]
        rows = []
        epsilon = exact(LAYER_NORM_EPSILON)
        for row in x:
            value = _enclose.inverse_deviation(list(row), epsilon)
            if self._rounded:
                unit = self._unit if self._wide is None else self._wide
                square = sum((entry.abs_upper() ** 2 for entry in row), arb(0)) / count
                share = unit * 2 * (count + 4) * square * value.abs_upper() ** 2
                value = value + arb(0, (value.abs_upper() * share).abs_upper()) if share < 0.25 else arb(0, "inf")
            rows.append([value] * count)
        values = np.array(rows, dtype=object).reshape(x.shape)
        return self._computed(values, 3)

    def component(self, vector: Array | OpenSum, index: IndexArray) -> Array:
        return np.take_along_axis(self.settle(vector), index[:, None], axis=-1)

    def place(self, scalar: Array | OpenSum, index: IndexArray, size: int) -> Array:
        result = np.full((len(index), size), arb(0), dtype=object)
        np.put_along_axis(result, index[:, None], self.settle(scalar), axis=-1)
        return result

    def outer(self, x1: Array | OpenSum, x2: Array | OpenSum) -> OpenSum:
        a, b = self.settle(x1), self.settle(x2)
        if not self._rounded:
            product = _product(a.T, b)
            return OpenSum(product, product, len(a), True)
        # abs(a b - mid a mid b) <= abs(a) rad b + rad a abs(mid b), as one product of twice the length.
        sizes, radii = _upper(a), np.concatenate([_radius(b), _upper(_middle(b))])
        spread = _product(np.concatenate([sizes, _radius(a)]).T, radii)
        middle = _widen(_product(_middle(a).T, _middle(b)), spread)
        return self._shortened(OpenSum(middle, _product(sizes.T, _upper(b)), len(a), True))

    def dot(self, x1: Array | OpenSum, x2: Array | OpenSum) -> OpenSum:
        products = self.settle(x1) * self.settle(x2)
        total = products.sum(axis=-1, keepdims=True)
        return OpenSum(total, _upper(products).sum(axis=-1, keepdims=True), products.shape[-1], True)

    def batch_sum(self, value: Array | OpenSum) -> OpenSum:
        a = self._open(value)
        rows = len(a.value)
        terms, addends = a.terms * rows, a.addends * rows
        # Each row's value may be stored before the sum, and the sum once more.
        return OpenSum(a.value.sum(axis=0), a.mass.sum(axis=0), terms, a.products, a.parts + 1, addends)

    def only_entry(self, value: Array) -> Array:
        return np.asarray(value[0, ...])
