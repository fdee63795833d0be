"""The complex step along all entries at once: one real part for all directions, one imaginary part for each.

Every direction moves a single number, so the real parts are the same in all of them and are computed once. Imaginary
parts are kept in units of the step; its square vanishes against 1, so products and quotients are linear in them, as
`complex_step` has it for one direction. Below, P is the number of directions.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn, TypeAlias

import numpy as np

from rnn_harness.arithmetic.numpy_arithmetic import inverse_deviation, row_mean, sigmoid, softplus
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function


@dataclass(frozen=True, slots=True)
class Moved:
    """A value in all directions.

    Attributes:
        real: The real part, (B, d).
        imaginary: The imaginary parts, (P, B, d); None where no direction has moved the value yet.
    """

    real: Array
    imaginary: Array | None = None

    def __len__(self) -> int:
        return len(self.real)

    def __getitem__(self, t: int) -> Moved:
        """Take one step of a sequence (T, B, n) with imaginary parts (T, P, B, n)."""
        return Moved(self.real[t], None if self.imaginary is None else self.imaginary[t])


@dataclass(frozen=True, slots=True)
class Perturbed:
    """A matrix (a, b) of which each direction in `rows` moves one entry, row by row.

    Attributes:
        base: The matrix, or its transpose (b, a).
        rows: The directions that move it, a * b of them.
        shape: (a, b), as the directions count the entries.
        transposed: Whether `base` is the transpose.
    """

    base: Array
    rows: slice
    shape: tuple[int, int]
    transposed: bool = False


EntryValue: TypeAlias = Moved | Perturbed
"""A vector in all directions, or a matrix."""


def _plus(x1: Array | None, x2: Array | None) -> Array | None:
    """Add imaginary parts; None counts as zero."""
    if x1 is None or x2 is None:
        return x2 if x1 is None else x1
    return x1 + x2


def _times(factor: Array | float, imaginary: Array | None) -> Array | None:
    """Multiply an imaginary part with a real factor; None counts as zero."""
    return None if imaginary is None else factor * imaginary


def moved(value: EntryValue) -> Moved:
    """Return a value that is no matrix.

    Args:
        value: A value of this arithmetic.

    Raises:
        TypeError: It is a matrix: nothing but products and transposes can be taken of those.
    """
    if isinstance(value, Perturbed):
        raise TypeError("a matrix whose entries are moved can only be multiplied or transposed")
    return value


def imaginary_parts(value: EntryValue) -> Array:
    """Return the imaginary parts of a vector, (P, B, d).

    Args:
        value: A value of this arithmetic, no matrix.

    Raises:
        ValueError: No direction moves it.
    """
    imaginary = moved(value).imaginary
    if imaginary is None:
        raise ValueError("no direction moves this value")
    return imaginary


def _matrix(value: EntryValue) -> Perturbed:
    if isinstance(value, Moved):
        raise TypeError("a matrix product needs a matrix whose entries are moved")
    return value


def _unsupported(operation: str) -> NoReturn:
    raise NotImplementedError(f"{operation} has no step along all entries at once")


class EntryArithmetic:
    """float64 with one imaginary part a direction.

    Attributes:
        count: The number of directions, P.
        fused: False: a value is no NumPy array.
    """

    def __init__(self, count: int) -> None:
        self.fused, self.count = False, count

    def scope(self) -> AbstractContextManager[None]:
        return nullcontext()

    def number(self, value: Fraction) -> EntryValue:
        return Moved(np.array(float(value)))

    def array(self, value: object) -> EntryValue:
        """Return the value, which is moved already: an array does not say by which direction.

        Raises:
            TypeError: The value is an array.
        """
        if not isinstance(value, Moved | Perturbed):
            raise TypeError(f"expected a value that directions move, got {type(value).__name__}")
        return value

    def settle(self, value: EntryValue) -> EntryValue:
        return value

    def transpose(self, matrix: EntryValue) -> EntryValue:
        perturbed = _matrix(matrix)
        return Perturbed(perturbed.base.T, perturbed.rows, perturbed.shape, not perturbed.transposed)

    def add(self, x1: EntryValue, x2: EntryValue) -> EntryValue:
        a, b = moved(x1), moved(x2)
        return Moved(a.real + b.real, _plus(a.imaginary, b.imaginary))

    def subtract(self, x1: EntryValue, x2: EntryValue) -> EntryValue:
        a, b = moved(x1), moved(x2)
        return Moved(a.real - b.real, _plus(a.imaginary, _times(-1.0, b.imaginary)))

    def multiply(self, x1: EntryValue, x2: EntryValue) -> EntryValue:
        a, b = moved(x1), moved(x2)
        imaginary = _plus(_times(b.real, a.imaginary), _times(a.real, b.imaginary))
        return Moved(a.real * b.real, imaginary)

    def divide(self, x1: EntryValue, x2: EntryValue) -> EntryValue:
        a, b = moved(x1), moved(x2)
        quotient = a.real / b.real
        numerator = _plus(a.imaginary, _times(-quotient, b.imaginary))
        return Moved(quotient, _times(1 / b.real, numerator))

    def matrix_vector(self, matrix: EntryValue, vector: EntryValue) -> EntryValue:
        m, x = _matrix(matrix), moved(vector)
        real = x.real @ m.base.T
        if x.imaginary is None:
            imaginary = np.zeros((self.count, *real.shape))
        else:
            # One product of all rows: a stack of small ones costs a call each.
            rows = x.imaginary.reshape(-1, x.imaginary.shape[-1])
            imaginary = (rows @ m.base.T).reshape(self.count, *real.shape)
        # A view of the entries (i, j) that the matrix's own directions move; each meets one number of the vector.
        entries = imaginary[m.rows].reshape(*m.shape, *real.shape)
        target = np.einsum("ijbj->ijb" if m.transposed else "ijbi->ijb", entries)
        numbers = x.real.T
        target += numbers[:, None] if m.transposed else numbers[None]
        return Moved(real, imaginary)

    def vector_matrix(self, vector: EntryValue, matrix: EntryValue) -> EntryValue:
        return self.matrix_vector(self.transpose(matrix), vector)

    def concatenate(self, *parts: EntryValue) -> EntryValue:
        vectors = [moved(part) for part in parts]
        real = np.concatenate([part.real for part in vectors], axis=-1)
        shape = (self.count, *real.shape[:-1])
        imaginary = [
            np.zeros((*shape, part.real.shape[-1])) if part.imaginary is None else part.imaginary for part in vectors
        ]
        return Moved(real, np.concatenate(imaginary, axis=-1))

    def slice(self, vector: EntryValue, start: int, stop: int) -> EntryValue:
        x = moved(vector)
        return Moved(x.real[..., start:stop], None if x.imaginary is None else x.imaginary[..., start:stop])

    def apply(self, function: Function, argument: EntryValue) -> EntryValue:
        """Apply a function, and its derivative to every direction.

        Raises:
            ValueError: The function has no step along all entries at once.
        """
        x = moved(argument)
        a, b = x.real, x.imaginary
        if function in (Function.SIGMOID, Function.SOFTPLUS_SLOPE, Function.TANH):
            twice = 2 if function is Function.TANH else 1
            w = np.exp(-twice * np.abs(a))
            u = 1 + w
            real = np.tanh(a) if function is Function.TANH else np.where(a < 0, w, 1.0) / u
            return Moved(real, _times(twice * twice * w / (u * u), b))
        if function is Function.SOFTMAX and b is not None:
            e = np.exp(a - a.max(axis=-1, keepdims=True))
            total, slope = e.sum(axis=-1, keepdims=True), e * b
            return Moved(e / total, (slope * total - e * slope.sum(axis=-1, keepdims=True)) / (total * total))
        if function is Function.RELU:
            return Moved(np.where(a > 0, a, 0), _times(np.where(a > 0, 1.0, 0.0), b))
        if function is Function.EXP:
            return Moved(np.exp(a), _times(np.exp(a), b))
        if function is Function.LOG:
            return Moved(np.log(a), _times(1 / a, b))
        if function is Function.SQRT:
            return Moved(np.sqrt(a), _times(0.5 / np.sqrt(a), b))
        if function is Function.SOFTPLUS:
            return Moved(softplus(a), _times(sigmoid(a), b))
        if function is Function.MEAN:
            return Moved(row_mean(a), None if b is None else row_mean(b))
        if function is Function.INVERSE_DEVIATION:
            value = inverse_deviation(a)
            slope = None if b is None else -(value**3) * row_mean((a - row_mean(a)) * b)
            return Moved(value, slope)
        if function is Function.STEP:
            return Moved(np.where(a > 0, 1.0, 0.0), None)
        if function is Function.IDENTITY:
            return argument
        raise ValueError(f"{function.value} has no step along all entries at once")

    def component(self, vector: EntryValue, index: IndexArray) -> EntryValue:
        _unsupported("a component by its index")

    def place(self, scalar: EntryValue, index: IndexArray, size: int) -> EntryValue:
        _unsupported("a placement by an index")

    def outer(self, x1: EntryValue, x2: EntryValue) -> EntryValue:
        _unsupported("an outer product")

    def dot(self, x1: EntryValue, x2: EntryValue) -> EntryValue:
        _unsupported("a product of rows")

    def batch_sum(self, value: EntryValue) -> EntryValue:
        _unsupported("a sum over the batch")

    def only_entry(self, value: EntryValue) -> EntryValue:
        _unsupported("an entry of a sum over the batch")
