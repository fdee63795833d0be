"""SymPy arithmetic: every number a polynomial over the rationals, every function value an atom.

A step of a recurrent cell is a polynomial in its inputs, states, parameters and in the values of its functions.
Those values are the generators here, one "atom" for each different argument, so that equality of two expressions is
equality of canonical forms, and no simplifier is needed. The sigmoid is written with tanh, as (1 + tanh(a/2)) / 2,
and tanh is odd, so that all identities between the two hold by construction.

Dimension legend: the batch has one row; vectors are (1, d) object arrays, parameters (d,) or (d, n).
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from typing import Any

import numpy as np
from sympy.polys.domains import QQ  # type: ignore[import-untyped]
from sympy.polys.rings import PolyElement, PolyRing  # type: ignore[import-untyped]

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function


class SymbolicArithmetic:
    """Polynomials in `symbols` and up to `atoms` function values. Raises ValueError when atoms run out."""

    def __init__(self, symbols: list[str], atoms: int) -> None:
        names = [*symbols, *(f"atom{i}" for i in range(atoms))]
        self.ring = PolyRing(names, QQ)
        self.key = "symbolic"
        self.fused = False
        self.generators: dict[str, PolyElement] = dict(zip(names, self.ring.gens, strict=True))
        self._free = list(self.ring.gens[len(symbols) :])
        self.atoms: list[tuple[PolyElement, str, tuple[PolyElement, ...], int]] = []
        self._known: dict[Any, PolyElement] = {}

    def scope(self) -> AbstractContextManager[None]:
        return nullcontext()

    def number(self, value: Fraction) -> Array:
        return np.array([[self.ring.domain_new(QQ(value.numerator, value.denominator)) * self.ring.one]], dtype=object)

    def array(self, value: Array) -> Array:
        if value.dtype == object:
            return value
        flat = [self.ring.one * QQ(*float(entry).as_integer_ratio()) for entry in value.flat]
        whole = np.empty(value.size, dtype=object)
        whole[:] = flat
        return whole.reshape(value.shape)

    def settle(self, value: Any) -> Any:
        return value

    def add(self, left: Array, right: Array) -> Array:
        return left + right

    def subtract(self, left: Array, right: Array) -> Array:
        return left - right

    def multiply(self, left: Array, right: Array) -> Array:
        return left * right

    def divide(self, left: Array, right: Array) -> Array:
        inverse = np.frompyfunc(lambda x: self._atom("inverse", (x,), 0), 1, 1)(right)
        quotient: Array = left * inverse
        return quotient

    def matrix_vector(self, matrix: Array, vector: Array) -> Array:
        product: Array = vector @ matrix.T
        return product

    def vector_matrix(self, vector: Array, matrix: Array) -> Array:
        product: Array = vector @ matrix
        return product

    def transpose(self, matrix: Array) -> Array:
        return matrix.T

    def concatenate(self, *parts: Array) -> Array:
        return np.concatenate(parts, axis=-1)

    def slice(self, vector: Array, start: int, stop: int) -> Array:
        return vector[..., start:stop]

    def _atom(self, kind: str, arguments: tuple[PolyElement, ...], place: int) -> PolyElement:
        where = (kind, arguments, place)
        if where not in self._known:
            if not self._free:
                raise ValueError("the symbolic arithmetic has no atom left: make it with more")
            atom = self._free.pop(0)
            self.atoms.append((atom, kind, arguments, place))
            self._known[where] = atom
        return self._known[where]

    def _tanh(self, x: PolyElement) -> PolyElement:
        if not x:
            return self.ring.zero
        return -self._atom("tanh", (-x,), 0) if x.LC < 0 else self._atom("tanh", (x,), 0)

    def _sigmoid(self, x: PolyElement) -> PolyElement:
        return (self._tanh(x * QQ(1, 2)) + 1) * QQ(1, 2)

    def apply(self, function: Function, argument: Array) -> Array:
        if function is Function.IDENTITY:
            return argument
        if function is Function.SOFTMAX:
            rows = [[self._atom("softmax", tuple(row), i) for i in range(len(row))] for row in argument]
            return np.array(rows, dtype=object)
        kinds = {
            Function.TANH: self._tanh,
            Function.SIGMOID: self._sigmoid,
            Function.LOG: lambda x: self._atom("log", (x,), 0),
        }
        if function not in kinds:
            raise ValueError(f"{function.value} has no symbolic form here")
        value: Array = np.frompyfunc(kinds[function], 1, 1)(argument)
        return value

    def derivative(self, value: PolyElement, by: PolyElement) -> PolyElement:
        """d value / d by, where atoms depend on generators through their arguments: SymPy's `diff` of the
        polynomial, and the chain rule over the atoms."""
        return self._total(value, by, {})

    def _total(self, value: PolyElement, by: PolyElement, done: dict[PolyElement, PolyElement]) -> PolyElement:
        result = value.diff(by)
        for atom, kind, arguments, place in self.atoms:
            outer = value.diff(atom)
            if not outer:
                continue
            if atom not in done:
                inner = [self._total(argument, by, done) for argument in arguments]
                done[atom] = self._slope(atom, kind, arguments, place, inner)
            result += outer * done[atom]
        return result

    def _slope(
        self,
        atom: PolyElement,
        kind: str,
        arguments: tuple[PolyElement, ...],
        place: int,
        inner: list[PolyElement],
    ) -> PolyElement:
        if kind == "tanh":
            return (1 - atom**2) * inner[0]
        if kind == "log":
            return self._atom("inverse", arguments, 0) * inner[0]
        if kind == "inverse":
            return -(atom**2) * inner[0]
        mine = [self._atom("softmax", arguments, i) for i in range(len(arguments))]
        return sum(
            (atom * ((1 if i == place else 0) - mine[i]) * inner[i] for i in range(len(inner))),
            self.ring.zero,
        )

    def component(self, vector: Array, index: IndexArray) -> Array:
        return np.take_along_axis(vector, index[:, None], axis=-1)

    def place(self, scalar: Array, index: IndexArray, size: int) -> Array:
        result = np.full((len(index), size), self.ring.zero, dtype=object)
        np.put_along_axis(result, index[:, None], scalar, axis=-1)
        return result

    def outer(self, left: Array, right: Array) -> Array:
        product: Array = left.T @ right
        return product

    def dot(self, left: Array, right: Array) -> Array:
        total: Array = (left * right).sum(axis=-1, keepdims=True)
        return total

    def batch_sum(self, value: Array) -> Array:
        total: Array = value.sum(axis=0)
        return total
