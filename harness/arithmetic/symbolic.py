"""SymPy arithmetic: every number a polynomial over the rationals, every function value an atom.

A step of a recurrent cell is a polynomial in its inputs, states, parameters and in the values of its functions.
Those values are the generators here, one "atom" for each different argument, so that equality of two expressions is
equality of canonical forms, and no simplifier is needed. The sigmoid is written with tanh, as (1 + tanh(a/2)) / 2,
and tanh is odd, so that all identities between the two follow by construction. The batch has one row.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from sympy.polys.domains import QQ
from sympy.polys.rings import PolyElement, PolyRing

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function


@dataclass(frozen=True, slots=True)
class Atom:
    """A function value that stands in the polynomials as a generator.

    Attributes:
        generator: The ring's variable that stands for the value.
        function: ``tanh``, ``log``, ``exp``, ``softplus``, ``sqrt``, ``inverse``, ``softmax`` or ``inverse deviation``.
        arguments: What the function is applied to; a softmax and an inverse deviation have a whole row.
        place: Which entry of a softmax it is; 0 for every other function.
    """

    generator: PolyElement
    function: str
    arguments: tuple[PolyElement, ...]
    place: int


class NoSymbolicForm(ValueError):
    """A function has no form among polynomials."""


class SymbolicArithmetic:
    """Polynomials in `symbols` and in function values.

    Attributes:
        ring: SymPy's polynomial ring over the rationals.
        generators: The ring's generators by name.
        atoms: The function values met so far.
        fused: False: polynomials are no numbers.
    """

    def __init__(self, symbols: list[str], atoms: int) -> None:
        """Build the ring, with room for the function values.

        Args:
            symbols: The names of the variables.
            atoms: The number of different function values that it has room for.
        """
        names = [*symbols, *(f"atom{i}" for i in range(atoms))]
        self.ring = PolyRing(names, QQ)
        self.fused = False
        self.generators: dict[str, PolyElement] = dict(zip(names, self.ring.gens, strict=True))
        self._free = list(self.ring.gens[len(symbols) :])
        self.atoms: list[Atom] = []
        self._places = {generator: place for place, generator in enumerate(self.ring.gens)}
        self._outer: dict[PolyElement, list[tuple[Atom, PolyElement]]] = {}
        self._known: dict[tuple[str, tuple[PolyElement, ...], int], PolyElement] = {}

    def scope(self) -> AbstractContextManager[None]:
        return nullcontext()

    def number(self, value: Fraction) -> Array:
        return np.array([[self.ring.domain_new(QQ(value.numerator, value.denominator)) * self.ring.one]], dtype=object)

    def array(self, value: Array) -> Array:
        if value.dtype == object:
            return value
        entries = [self.ring.one * QQ(*float(entry).as_integer_ratio()) for entry in value.flat]
        polynomials = np.empty(value.size, dtype=object)
        polynomials[:] = entries
        return polynomials.reshape(value.shape)

    def settle(self, value: Array) -> Array:
        return value

    def add(self, x1: Array, x2: Array) -> Array:
        return as_array(x1) + as_array(x2)

    def subtract(self, x1: Array, x2: Array) -> Array:
        return as_array(x1) - as_array(x2)

    def multiply(self, x1: Array, x2: Array) -> Array:
        return as_array(x1) * as_array(x2)

    def divide(self, x1: Array, x2: Array) -> Array:
        inverse = np.frompyfunc(lambda x: self._atom("inverse", (x,), 0), 1, 1)(x2)
        quotient: Array = as_array(x1) * as_array(inverse)
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

    def _atom(self, function: str, arguments: tuple[PolyElement, ...], place: int) -> PolyElement:
        """Return the generator of a function value; equal arguments give the same one.

        Raises:
            ValueError: No generator is free.
        """
        key = (function, arguments, place)
        if key not in self._known:
            if not self._free:
                raise ValueError("the symbolic arithmetic has no free atom: construct it with more")
            generator = self._free.pop(0)
            self.atoms.append(Atom(generator, function, arguments, place))
            self._known[key] = generator
        return self._known[key]

    def _tanh(self, x: PolyElement) -> PolyElement:
        if not x:
            return self.ring.zero
        return -self._atom("tanh", (-x,), 0) if x.LC < 0 else self._atom("tanh", (x,), 0)

    def _sigmoid(self, x: PolyElement) -> PolyElement:
        return (self._tanh(x * QQ(1, 2)) + 1) * QQ(1, 2)

    def apply(self, function: Function, argument: Array) -> Array:
        """Apply a function: a polynomial stays one under the identity, and becomes an atom under every other function.

        Raises:
            NoSymbolicForm: The function has none: ReLU and the step.
        """
        if function is Function.IDENTITY:
            return argument
        if function is Function.SOFTMAX:
            rows = [[self._atom("softmax", tuple(row), i) for i in range(len(row))] for row in argument]
            return np.array(rows, dtype=object)
        if function is Function.MEAN:
            mean = argument.sum(axis=-1, keepdims=True) * QQ(1, argument.shape[-1])
            return np.broadcast_to(mean, argument.shape)
        if function is Function.INVERSE_DEVIATION:
            rows = [[self._atom("inverse deviation", tuple(row), 0)] * len(row) for row in argument]
            return np.array(rows, dtype=object)
        polynomials = {
            Function.EXP: lambda x: self._atom("exp", (x,), 0) if x else self.ring.one,
            Function.SOFTPLUS: lambda x: self._atom("softplus", (x,), 0),
            Function.SQRT: lambda x: self._atom("sqrt", (x,), 0),
            Function.TANH: self._tanh,
            Function.SIGMOID: self._sigmoid,
            Function.SOFTPLUS_SLOPE: self._sigmoid,
            Function.LOG: lambda x: self._atom("log", (x,), 0),
        }
        if function not in polynomials:
            raise NoSymbolicForm(f"{function.value} is no polynomial, nor an atom of one")
        value: Array = np.frompyfunc(polynomials[function], 1, 1)(argument)
        return value

    def derivative(self, value: PolyElement, by: PolyElement) -> PolyElement:
        """Differentiate a polynomial by a generator.

        Atoms depend on generators through their arguments: this is SymPy's `diff` of the polynomial, and the chain
        rule over the atoms.

        Args:
            value: A polynomial in generators and atoms.
            by: A generator.
        """
        return self._total_derivative(value, by, {})

    def _total_derivative(
        self, value: PolyElement, by: PolyElement, done: dict[PolyElement, PolyElement]
    ) -> PolyElement:
        """Differentiate; `done` remembers the atoms' derivatives."""
        result = self._partial(value, by)
        for atom, outer in self._partials_by_atoms(value):
            if atom.generator not in done:
                inner = [self._total_derivative(argument, by, done) for argument in atom.arguments]
                done[atom.generator] = self._atom_derivative(atom, inner)
            if done[atom.generator]:
                result += outer * done[atom.generator]
        return result

    def _partials_by_atoms(self, value: PolyElement) -> list[tuple[Atom, PolyElement]]:
        """Differentiate by every atom that occurs in the polynomial; the same for all generators, so kept."""
        if value not in self._outer:
            # An atom that is made later does not occur in a polynomial of now.
            pairs = [(atom, self._partial(value, atom.generator)) for atom in self.atoms]
            self._outer[value] = [(atom, outer) for atom, outer in pairs if outer]
        return self._outer[value]

    def _partial(self, value: PolyElement, by: PolyElement) -> PolyElement:
        """Differentiate as if atoms were constants. SymPy looks a generator up among all of them; here by its hash."""
        return value.diff(self._places[by])

    def _atom_derivative(self, atom: Atom, inner: list[PolyElement]) -> PolyElement:
        """Differentiate an atom, given the derivatives of its arguments."""
        value = atom.generator
        if atom.function == "tanh":
            return (1 - value**2) * inner[0]
        if atom.function == "log":
            return self._atom("inverse", atom.arguments, 0) * inner[0]
        if atom.function == "inverse":
            return -(value**2) * inner[0]
        if atom.function == "exp":
            return value * inner[0]
        if atom.function == "softplus":
            return self._sigmoid(atom.arguments[0]) * inner[0]
        if atom.function == "sqrt":
            return self._atom("inverse", (value,), 0) * QQ(1, 2) * inner[0]
        if atom.function == "inverse deviation":
            share = QQ(1, len(atom.arguments))
            mean = sum(atom.arguments, self.ring.zero) * share
            moved = sum(
                ((x - mean) * dx for x, dx in zip(atom.arguments, inner, strict=True)),
                self.ring.zero,
            )
            return -(value**3) * share * moved
        row = [self._atom("softmax", atom.arguments, i) for i in range(len(atom.arguments))]
        return sum(
            (value * ((1 if i == atom.place else 0) - row[i]) * inner[i] for i in range(len(inner))),
            self.ring.zero,
        )

    def component(self, vector: Array, index: IndexArray) -> Array:
        return np.take_along_axis(vector, index[:, None], axis=-1)

    def place(self, scalar: Array, index: IndexArray, size: int) -> Array:
        result = np.full((len(index), size), self.ring.zero, dtype=object)
        np.put_along_axis(result, index[:, None], scalar, axis=-1)
        return result

    def outer(self, x1: Array, x2: Array) -> Array:
        product: Array = x1.T @ x2
        return product

    def dot(self, x1: Array, x2: Array) -> Array:
        total: Array = (x1 * x2).sum(axis=-1, keepdims=True)
        return total

    def batch_sum(self, value: Array) -> Array:
        total: Array = value.sum(axis=0)
        return total

    def only_entry(self, value: Array) -> Array:
        entry: Array = value[0, ...]
        return entry


class ForwardPolynomials(SymbolicArithmetic):
    """Polynomials that are compared and never differentiated, which have ReLU too.

    ReLU is (a + |a|) / 2, and the absolute value is even, so that hard sigmoids and hard tangents are odd by
    construction, as the smooth functions are.
    """

    def apply(self, function: Function, argument: Array) -> Array:
        if function is not Function.RELU:
            return super().apply(function, argument)
        value: Array = np.frompyfunc(lambda x: (x + self._size(x)) * QQ(1, 2), 1, 1)(argument)
        return value

    def _size(self, x: PolyElement) -> PolyElement:
        if x.is_ground:
            return x if x.LC >= 0 else -x
        return self._atom("size", (-x,), 0) if x.LC < 0 else self._atom("size", (x,), 0)


def as_array(value: Array | PolyElement) -> Array:
    """Return a number as an array without axes, which NumPy takes such arrays apart to; an array as it is.

    Args:
        value: An array of polynomials, or one polynomial.
    """
    if isinstance(value, np.ndarray):
        return value
    array = np.empty((), dtype=object)
    array[()] = value
    return array
