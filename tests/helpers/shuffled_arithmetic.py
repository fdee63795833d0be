"""An adversary of the rounding bound: sums in random order, products fused or not, functions off by some roundings.

Dimension legend: B batch rows, d entries of a vector, k terms of a sum.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from rnn_harness.arithmetic import NumpyArithmetic
from rnn_harness.arithmetic.assumptions import FUNCTION_ROUNDINGS, UNIT_ROUNDOFF
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function


@dataclass(frozen=True)
class Term:
    """`left`, or the product `left` * `right` that is not rounded yet."""

    left: Array
    right: Array | None = None

    def spread(self, shape: tuple[int, ...]) -> Term:
        return Term(
            np.broadcast_to(self.left, shape), None if self.right is None else np.broadcast_to(self.right, shape)
        )

    def part(self, index: Any) -> Term:
        return Term(self.left[index], None if self.right is None else self.right[index])

    def negated(self) -> Term:
        return Term(-self.left, self.right)


class ShuffledArithmetic:
    """Correct arithmetic in `dtype`, as unlike NumPy's as the bound's claim allows."""

    def __init__(self, dtype: str, seed: int) -> None:
        self.plain = NumpyArithmetic(dtype)
        self.dtype = np.dtype(dtype)
        self.wide: Any = np.longdouble
        self.fused = dtype != "float64"  # a product of two float64 does not fit into the wider format
        self.unit = float(UNIT_ROUNDOFF[dtype])
        self.rng = np.random.default_rng(seed)
        self.key = f"shuffled-{dtype}-{seed}"
        self.fused = False

    def scope(self) -> AbstractContextManager[None]:
        return self.plain.scope()

    def number(self, value: Fraction) -> Array:
        return np.array([[float(value)]], self.dtype)

    def array(self, value: Array) -> Array:
        return self.plain.array(value)

    def _rounded(self, value: Any) -> Array:
        rounded: Array = np.asarray(value).astype(self.dtype)
        return rounded

    def _join(self, one: Term, other: Term) -> Term:
        if one.right is not None and other.right is not None:
            one = Term(one.left * one.right)
        if one.right is not None:
            one, other = other, one
        if other.right is None:
            return Term(one.left + other.left)
        if self.fused and self.rng.random() < 0.5:
            exact = self.wide(1) * other.left * other.right
            return Term(self._rounded(exact + one.left))
        return Term(one.left + other.left * other.right)

    def settle(self, value: Any) -> Array:
        if not isinstance(value, list):
            return np.asarray(value)
        terms = [value[i] for i in self.rng.permutation(len(value))]
        while len(terms) > 1:
            i = int(self.rng.integers(0, len(terms) - 1))
            terms[i : i + 2] = [self._join(terms[i], terms[i + 1])]
        last = terms[0]
        return last.left if last.right is None else np.asarray(last.left * last.right)

    def _terms(self, value: Any) -> list[Term]:
        return value if isinstance(value, list) else [Term(np.asarray(value))]

    def add(self, left: Any, right: Any) -> list[Term]:
        return self._terms(left) + self._terms(right)

    def subtract(self, left: Any, right: Any) -> list[Term]:
        return self._terms(left) + [term.negated() for term in self._terms(right)]

    def multiply(self, left: Any, right: Any) -> list[Term]:
        return [Term(self.settle(left), self.settle(right))]

    def divide(self, left: Any, right: Any) -> Array:
        return np.asarray(self.settle(left) / self.settle(right))

    def matrix_vector(self, matrix: Array, vector: Any) -> list[Term]:
        x = self.settle(vector)
        return [Term(x[:, j : j + 1], matrix[:, j]) for j in range(matrix.shape[1])]

    def vector_matrix(self, vector: Any, matrix: Array) -> list[Term]:
        return self.matrix_vector(matrix.T, vector)

    def transpose(self, matrix: Array) -> Array:
        return matrix.T

    def concatenate(self, *parts: Any) -> Array:
        return np.concatenate([self.settle(part) for part in parts], axis=-1)

    def slice(self, vector: Any, start: int, stop: int) -> Any:
        if not isinstance(vector, list):
            return vector[..., start:stop]
        shape = np.shape(self.settle(vector))
        return [term.spread(shape).part((..., slice(start, stop))) for term in vector]

    def apply(self, function: Function, argument: Any) -> Array:
        x = self.settle(argument)
        if function in (Function.IDENTITY, Function.RELU, Function.SOFTMAX):
            return self.plain.apply(function, x)
        value = self.plain.apply(function, x.astype(self.wide))
        allowed = (FUNCTION_ROUNDINGS - 1) * self.unit  # one more is the rounding of the result
        return self._rounded(value * (1 + allowed * self.rng.uniform(-1, 1, value.shape)))

    def component(self, vector: Any, index: IndexArray) -> Array:
        return self.plain.component(self.settle(vector), index)

    def place(self, scalar: Any, index: IndexArray, size: int) -> Array:
        return self.plain.place(self.settle(scalar), index, size)

    def outer(self, left: Any, right: Any) -> list[Term]:
        a, b = self.settle(left), self.settle(right)
        return [Term(row[:, None], column[None, :]) for row, column in zip(a, b, strict=True)]

    def dot(self, left: Any, right: Any) -> list[Term]:
        a, b = self.settle(left), self.settle(right)
        return [Term(a[:, j : j + 1], b[:, j : j + 1]) for j in range(a.shape[-1])]

    def batch_sum(self, value: Any) -> list[Term]:
        terms = self._terms(value)
        shape = np.broadcast_shapes(*(np.shape(term.left) for term in terms))
        shape = np.broadcast_shapes(shape, *(np.shape(term.right) for term in terms if term.right is not None))
        return [term.spread(shape).part(row) for term in terms for row in range(shape[0])]
