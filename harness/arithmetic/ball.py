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
  ((1 - u)^-k - 1) times the sum of the terms' largest sizes (Higham 2002, section 3.1; this form needs no k u < 1).
  Sums are therefore kept open (`terms`, `mass`) until something other than a sum consumes them; an affine map
  ``W x + U h + b`` is one sum of n + d + 1 terms, whichever way a kernel groups it;
* a function: f of a ball is taken by the mean value form, f(mid) +- sup abs(f') rad, then widened.

A `Rounding` may say that sums of products and functions are computed in a wider format (bfloat16 kernels accumulate
in float32): then the terms are rounded there, and only what is stored between them, the addends and partial sums of
whole products, in the narrow one. It may also say that the operands of matrix products are shortened first (TF32),
or that functions are only approximated.

Rounding fewer values than that (fused products, partial sums kept in a wider format) leaves a result inside: each
ball holds the exact result of its operands as well. Outside the claim: another expression for the same quantity
(``h + z (g - h)`` for ``(1 - z) h + z g``), operands flushed to zero before they are used, and overflow.

Dimension legend: B batch rows; batched values are (B, d) object arrays of arb, parameters (d,) or (d, n).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np
from flint import arb, arb_mat, fmpq

from rnn_harness.arithmetic import ball_functions as _enclose
from rnn_harness.arithmetic.assumptions import FUNCTION_ROUNDINGS, REFERENCE_BITS, UNDERFLOW, UNIT_ROUNDOFF
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Arb's working precision for a while."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


@dataclass(frozen=True)
class Rounding:
    """What an implementation may do to a result.

    `unit`: the unit roundoff of the format in which values are stored; `underflow`: see assumptions. `wide`: that of
    the format in which products are summed and functions computed, if another. `operands`: how far each operand of a
    matrix product may be shortened, relatively. `functions`: how far off a function may be besides, relatively, and
    `absolute`, in itself.
    """

    unit: Fraction
    underflow: Fraction = Fraction(0)
    wide: Fraction | None = None
    operands: Fraction | None = None
    functions: Fraction | None = None
    absolute: Fraction | None = None


class Open:
    """A value not yet rounded: a sum of `terms` summands, `mass` the sum of their sizes.

    `products`: whether a summand is itself an unrounded product. `parts`: how many of them an implementation may
    store before it adds them: a whole matrix product is one part.
    """

    __slots__ = ("mass", "parts", "products", "terms", "value")

    def __init__(self, value: Array, mass: Array, terms: int, products: bool, parts: int = 1) -> None:
        self.value, self.mass, self.terms, self.products, self.parts = value, mass, terms, products, parts


def exact(value: Fraction) -> Any:
    """A rational as a ball (exact where it is dyadic)."""
    return arb(fmpq(value.numerator, value.denominator))


_upper = np.frompyfunc(lambda x: x.abs_upper(), 1, 1)
_to_arb = np.frompyfunc(arb, 1, 1)
_widen = np.frompyfunc(lambda x, r: x + arb(0, r), 2, 1)
_middle = np.frompyfunc(lambda x: x.mid(), 1, 1)
_radius = np.frompyfunc(lambda x: arb(x.rad()), 1, 1)
_exact = np.frompyfunc(lambda x: x.is_exact(), 1, 1)
_Matrix = tuple[Array, arb_mat, arb_mat, arb_mat, bool]


def _array(matrix: arb_mat) -> Array:
    return np.array(matrix.tolist(), dtype=object)


def _product(left: Array, right: Array) -> Array:
    return _array(arb_mat(left.tolist()) * arb_mat(right.tolist()))


_quotient = np.frompyfunc(_enclose.quotient, 2, 1)
_FUNCTIONS = {
    Function.SIGMOID: np.frompyfunc(_enclose.sigmoid, 1, 1),
    Function.TANH: np.frompyfunc(_enclose.tanh, 1, 1),
    Function.LOG: np.frompyfunc(_enclose.log, 1, 1),
    Function.RELU: np.frompyfunc(_enclose.relu, 1, 1),
    Function.STEP: np.frompyfunc(_enclose.step, 1, 1),
}


class BallArithmetic:
    """Ball evaluation. Without `rounding` the ball is the true value; with it, the rounding bound (see above)."""

    def __init__(self, rounding: Rounding | None = None, bits: int = REFERENCE_BITS) -> None:
        self.bits = bits
        self.key = f"ball-{bits}-{rounding}"
        self.fused = False
        self._rounded = rounding is not None
        with precision(bits):
            if rounding is not None:
                self._unit, self._underflow = exact(rounding.unit), exact(rounding.underflow)
                self._wide = None if rounding.wide is None else exact(rounding.wide)
                self._operands = None if rounding.operands is None else exact(rounding.operands)
                self._functions = None if rounding.functions is None else exact(rounding.functions)
                self._absolute = None if rounding.absolute is None else exact(rounding.absolute)
                self._largest_whole = int(1 / rounding.unit)
        self._matrices: dict[int, _Matrix] = {}
        self._transposed: dict[int, tuple[Array, Array]] = {}

    @classmethod
    def of(cls, dtype: str) -> BallArithmetic:
        """The bound for an implementation that rounds every result to `dtype`."""
        return cls(Rounding(UNIT_ROUNDOFF[dtype], UNDERFLOW[dtype]))

    def scope(self) -> AbstractContextManager[None]:
        """The working precision, for as long as values are computed."""
        return precision(self.bits)

    def number(self, value: Fraction) -> Array:
        """A constant: rounded, where it is not a whole number over a power of two short enough for the format."""
        whole = np.array([[exact(value)]], dtype=object)
        dyadic = value.denominator & (value.denominator - 1) == 0
        if not self._rounded or (dyadic and abs(value.numerator) <= self._largest_whole):
            return whole
        return self._round(whole, _upper(whole), 1)

    def array(self, value: Array) -> Array:
        if value.dtype == object:
            return value
        whole: Array = np.asarray(_to_arb(np.asarray(value, dtype=np.float64).astype(object)), dtype=object)
        return whole

    def _round(self, value: Array, mass: Array, roundings: int, flushed: int = 1, wide: int = 0) -> Array:
        """Widened by so many roundings of `mass`, `wide` more where sums are kept, and by `flushed` underflows."""
        if not self._rounded or roundings + wide == 0:
            return value
        factor = (1 - self._unit) ** -roundings
        if wide and self._wide is not None:
            factor *= (1 - self._wide) ** -wide
        growth = (factor - 1).abs_upper()
        widened: Array = _widen(value, mass * growth + self._underflow * flushed)
        return widened

    def settle(self, value: Array | Open) -> Array:
        """The ball of a value once it is stored: an open sum is rounded."""
        if not isinstance(value, Open):
            return value
        if value.terms == 1:
            return self._round(value.value, _upper(value.value), 1) if value.products else value.value
        if value.terms == 2 and not value.products:
            return self._round(value.value, _upper(value.value), 1)
        if self._rounded and self._wide is not None:
            return self._round(value.value, value.mass, value.parts, 2 * value.terms, wide=value.terms)
        return self._round(value.value, value.mass, value.terms, 2 * value.terms)

    def _open(self, value: Array | Open) -> Open:
        return value if isinstance(value, Open) else Open(value, _upper(value), 1, False)

    def add(self, left: Array | Open, right: Array | Open) -> Open:
        a, b = self._open(left), self._open(right)
        parts = a.parts + b.parts
        return Open(a.value + b.value, a.mass + b.mass, a.terms + b.terms, a.products or b.products, parts)

    def subtract(self, left: Array | Open, right: Array | Open) -> Open:
        a, b = self._open(left), self._open(right)
        parts = a.parts + b.parts
        return Open(a.value - b.value, a.mass + b.mass, a.terms + b.terms, a.products or b.products, parts)

    def multiply(self, left: Array | Open, right: Array | Open) -> Open:
        product = self.settle(left) * self.settle(right)
        return Open(product, _upper(product), 1, True)

    def divide(self, left: Array | Open, right: Array | Open) -> Array:
        quotient: Array = _quotient(self.settle(left), self.settle(right))
        return self._round(quotient, _upper(quotient), 1)

    def _matrix(self, matrix: Array) -> _Matrix:
        found = self._matrices.get(id(matrix))
        if found is None or found[0] is not matrix:
            whole, middles, sizes = (arb_mat(part.tolist()) for part in (matrix, _middle(matrix), _upper(matrix)))
            found = (matrix, whole, middles, sizes, bool(_exact(matrix).all()))
            self._matrices[id(matrix)] = found
        return found

    def matrix_vector(self, matrix: Array, vector: Array | Open) -> Open:
        x = self.settle(vector)
        _, whole, middles, sizes, certain = self._matrix(matrix)
        if not self._rounded or not certain:
            product = _array(whole * arb_mat(x.T.tolist())).T
            mass = product if not self._rounded else _array(sizes * arb_mat(_upper(x).T.tolist())).T
            return self._shortened(Open(product, mass, matrix.shape[1], True))
        # Arb's products of wide balls drop digits of the midpoint: it is computed apart from the radius.
        middle = _array(middles * arb_mat(_middle(x).T.tolist())).T
        both = _array(sizes * arb_mat(np.concatenate([_upper(x), _radius(x)]).T.tolist())).T
        return self._shortened(Open(_widen(middle, both[len(x) :]), both[: len(x)], matrix.shape[1], True))

    def _shortened(self, product: Open) -> Open:
        """A matrix product whose operands were shortened first: every term twice."""
        if self._rounded and self._operands is not None:
            growth = ((1 - self._operands) ** -2 - 1).abs_upper()
            product.value = _widen(product.value, product.mass * growth)
        return product

    def vector_matrix(self, vector: Array | Open, matrix: Array) -> Open:
        return self.matrix_vector(self.transpose(matrix), vector)

    def transpose(self, matrix: Array) -> Array:
        found = self._transposed.get(id(matrix))
        if found is None or found[0] is not matrix:
            found = (matrix, matrix.T)
            self._transposed[id(matrix)] = found
        return found[1]

    def concatenate(self, *parts: Array | Open) -> Array:
        return np.concatenate([self.settle(part) for part in parts], axis=-1)

    def slice(self, vector: Array | Open, start: int, stop: int) -> Array | Open:
        if not isinstance(vector, Open):
            return vector[..., start:stop]
        # A part of a sum is a sum: a kernel may add it to others before anything is rounded.
        value, mass = vector.value[..., start:stop], vector.mass[..., start:stop]
        return Open(value, mass, vector.terms, vector.products, vector.parts)

    def apply(self, function: Function, argument: Array | Open) -> Array:
        x = self.settle(argument)
        if function is Function.IDENTITY:
            return x
        if function is Function.SOFTMAX:
            return self._softmax(x)
        value = _FUNCTIONS[function](x)
        if function in (Function.RELU, Function.STEP):
            return np.asarray(value, dtype=object)
        if self._rounded and self._functions is not None:
            value = _widen(value, _upper(value) * self._functions)
        if self._rounded and self._absolute is not None:
            value = _widen(value, np.full(np.shape(value), self._absolute, dtype=object))
        return self._computed(value, FUNCTION_ROUNDINGS)

    def _computed(self, value: Array, roundings: int, flushed: int = 1) -> Array:
        """A function's value after that many roundings where functions are computed, then stored."""
        if self._rounded and self._wide is not None:
            return self._round(value, _upper(value), 1, flushed, wide=roundings)
        return self._round(value, _upper(value), roundings, flushed)

    def _softmax(self, x: Array) -> Array:
        """exp(x - m) / sum: relative error abs(x - m) u from each shift, the functions', k for the sum, 2 more."""
        rows = []
        for row in x:
            value = np.array(_enclose.softmax(list(row)), dtype=object)
            spread = max(float((a - b).abs_upper()) for a in row for b in row)
            roundings = int(2 * spread) + 2 * FUNCTION_ROUNDINGS + len(row) + 3
            rows.append(self._computed(value, roundings, 2 + len(row)))
        return np.array(rows, dtype=object).reshape(x.shape)

    def component(self, vector: Array | Open, index: IndexArray) -> Array:
        return np.take_along_axis(self.settle(vector), index[:, None], axis=-1)

    def place(self, scalar: Array | Open, index: IndexArray, size: int) -> Array:
        result = np.full((len(index), size), arb(0), dtype=object)
        np.put_along_axis(result, index[:, None], self.settle(scalar), axis=-1)
        return result

    def outer(self, left: Array | Open, right: Array | Open) -> Open:
        a, b = self.settle(left), self.settle(right)
        if not self._rounded:
            product = _product(a.T, b)
            return Open(product, product, len(a), True)
        # abs(a b - mid a mid b) <= abs(a) rad b + rad a abs(mid b), as one product of twice the length.
        sizes, radii = _upper(a), np.concatenate([_radius(b), _upper(_middle(b))])
        spread = _product(np.concatenate([sizes, _radius(a)]).T, radii)
        middle = _widen(_product(_middle(a).T, _middle(b)), spread)
        return self._shortened(Open(middle, _product(sizes.T, _upper(b)), len(a), True))

    def dot(self, left: Array | Open, right: Array | Open) -> Open:
        products = self.settle(left) * self.settle(right)
        total = products.sum(axis=-1, keepdims=True)
        return Open(total, _upper(products).sum(axis=-1, keepdims=True), products.shape[-1], True)

    def batch_sum(self, value: Array | Open) -> Open:
        a = self._open(value)
        # Each row's value may be stored before the sum, and the sum once more.
        return Open(a.value.sum(axis=0), a.mass.sum(axis=0), a.terms * len(a.value), a.products, a.parts + 1)
