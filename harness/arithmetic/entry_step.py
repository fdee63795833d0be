"""The complex step along all entries at once: one real part for all directions, one imaginary part for each.

Every direction moves a single number, so the real parts are the same in all of them and are computed once. Imaginary
parts are kept in units of the step; its square vanishes against 1, so products and quotients are linear in them, as
`_step` has it for one direction.

Dimension legend: P directions, B batch rows. Real parts are (B, d), imaginary parts (P, B, d).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from rnn_harness.arithmetic.numpy_arithmetic import NumpyArithmetic
from rnn_harness.array_types import Array
from rnn_harness.specs.expression import Function


@dataclass(frozen=True, slots=True)
class Moved:
    """A value: its real part and its imaginary parts, or None where no direction has moved it yet."""

    real: Array
    imaginary: Array | None = None

    def __len__(self) -> int:
        return len(self.real)

    def __getitem__(self, t: int) -> Moved:
        """One step of a sequence (T, B, n) with imaginary parts (T, P, B, n)."""
        return Moved(self.real[t], None if self.imaginary is None else self.imaginary[t])


@dataclass(frozen=True, slots=True)
class Perturbed:
    """A matrix (a, b) of which each direction in `rows` moves one entry, row by row.

    `transposed`: `base` is the transpose, (b, a); the directions still count the entries of the matrix as it was.
    """

    base: Array
    rows: slice
    shape: tuple[int, int]
    transposed: bool = False


def _plus(left: Array | None, right: Array | None) -> Array | None:
    if left is None or right is None:
        return right if left is None else left
    return left + right


def _times(factor: Any, imaginary: Array | None) -> Array | None:
    return None if imaginary is None else factor * imaginary


class EntryArithmetic(NumpyArithmetic):
    """Values are `Moved`, matrices `Perturbed`; `count` is the number of directions."""

    def __init__(self, count: int) -> None:
        super().__init__(np.float64)
        self.key, self.fused, self.count = "entries", False, count

    def number(self, value: Fraction) -> Any:
        return Moved(np.array(float(value)))

    def array(self, value: Any) -> Any:
        return value

    def transpose(self, matrix: Any) -> Any:
        return Perturbed(matrix.base.T, matrix.rows, matrix.shape, not matrix.transposed)

    def add(self, left: Any, right: Any) -> Any:  # type: ignore[override]
        return Moved(left.real + right.real, _plus(left.imaginary, right.imaginary))

    def subtract(self, left: Any, right: Any) -> Any:  # type: ignore[override]
        return Moved(left.real - right.real, _plus(left.imaginary, _times(-1.0, right.imaginary)))

    def multiply(self, left: Any, right: Any) -> Any:  # type: ignore[override]
        imaginary = _plus(_times(right.real, left.imaginary), _times(left.real, right.imaginary))
        return Moved(left.real * right.real, imaginary)

    def divide(self, left: Any, right: Any) -> Any:  # type: ignore[override]
        quotient = left.real / right.real
        moved = _plus(left.imaginary, _times(-quotient, right.imaginary))
        return Moved(quotient, _times(1 / right.real, moved))

    def matrix_vector(self, matrix: Any, vector: Any) -> Any:
        real = vector.real @ matrix.base.T
        if vector.imaginary is None:
            imaginary = np.zeros((self.count, *real.shape))
        else:
            # One product of all rows: a stack of small ones costs a call each.
            rows = vector.imaginary.reshape(-1, vector.imaginary.shape[-1])
            imaginary = (rows @ matrix.base.T).reshape(self.count, *real.shape)
        # A view of the entries (i, j) that the matrix's own directions move; each meets one number of the vector.
        own = imaginary[matrix.rows].reshape(*matrix.shape, *real.shape)
        target = np.einsum("ijbj->ijb" if matrix.transposed else "ijbi->ijb", own)
        met = vector.real.T
        target += met[:, None] if matrix.transposed else met[None]
        return Moved(real, imaginary)

    def vector_matrix(self, vector: Any, matrix: Any) -> Any:
        return self.matrix_vector(self.transpose(matrix), vector)

    def concatenate(self, *parts: Any) -> Any:
        real = np.concatenate([part.real for part in parts], axis=-1)
        shape = (self.count, *real.shape[:-1])
        rows = [np.zeros((*shape, part.real.shape[-1])) if part.imaginary is None else part.imaginary for part in parts]
        return Moved(real, np.concatenate(rows, axis=-1))

    def apply(self, function: Function, argument: Any) -> Any:
        a, b = argument.real, argument.imaginary
        if function in (Function.SIGMOID, Function.TANH):
            twice = 2 if function is Function.TANH else 1
            w = np.exp(-twice * np.abs(a))
            u = 1 + w
            real = np.tanh(a) if function is Function.TANH else np.where(a < 0, w, 1.0) / u
            return Moved(real, _times(twice * twice * w / (u * u), b))
        if function is Function.SOFTMAX and b is not None:
            e = np.exp(a - a.max(axis=-1, keepdims=True))
            total, moved = e.sum(axis=-1, keepdims=True), e * b
            return Moved(e / total, (moved * total - e * moved.sum(axis=-1, keepdims=True)) / (total * total))
        if function is Function.RELU:
            return Moved(np.where(a > 0, a, 0), _times(np.where(a > 0, 1.0, 0.0), b))
        if function is Function.STEP:
            return Moved(np.where(a > 0, 1.0, 0.0), None)
        if function is Function.IDENTITY:
            return argument
        raise ValueError(f"{function.value} has no step along all entries at once")
