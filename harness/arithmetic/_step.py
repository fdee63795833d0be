"""Complex arithmetic for derivatives by one tiny imaginary step, along one direction or along all entries at once.

The imaginary part b of every number is so small that b * b vanishes against 1 in float64, so exp(ib) = 1 + ib and
quotients lose their second-order terms exactly, not approximately. The functions below are complex exponentials and
quotients with those terms left out; no derivative of sigmoid or tanh is written in them.

Dimension legend: P directions, B batch rows. With entries, batched values are (P, B, d).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.arithmetic._numpy import NumpyArithmetic
from rnn_harness.arithmetic.assumptions import COMPLEX_STEP
from rnn_harness.specs.expression import Function

Array = NDArray[Any]


def _joined(real: Array, imaginary: Array) -> Array:
    whole = np.empty(real.shape, dtype=np.complex128)
    whole.real, whole.imag = real, imaginary
    return whole


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)): with w = exp(-|a|) and u = 1 + w, the quotient's imaginary part is b w / u^2."""
    a = z.real
    w = np.exp(-np.abs(a))
    u = 1 + w
    return _joined(np.where(a < 0, w, 1.0) / u, z.imag * w / (u * u))


def tanh(z: Array) -> Array:
    """(1 - exp(-2z)) / (1 + exp(-2z)): with w = exp(-2|a|) and u = 1 + w, the imaginary part is 4 b w / u^2."""
    a = z.real
    w = np.exp(-2 * np.abs(a))
    u = 1 + w
    return _joined(np.tanh(a), 4 * z.imag * w / (u * u))


_FUNCTIONS: dict[Function, Callable[[Array], Array]] = {Function.SIGMOID: sigmoid, Function.TANH: tanh}


class StepArithmetic(NumpyArithmetic):
    """complex128 whose imaginary parts are a tiny step."""

    def __init__(self) -> None:
        super().__init__(np.complex128)
        self.key = "step"

    def apply(self, function: Function, argument: Array) -> Array:
        own = _FUNCTIONS.get(function)
        return super().apply(function, argument) if own is None else own(argument)


@dataclass(frozen=True)
class Perturbed:
    """A matrix (a, b) that differs from `base` in one entry for each of the a * b directions of `rows`, row by row.

    `transposed`: `base` is the transpose, (b, a); the directions still count the entries of the matrix as it was.
    """

    base: Array
    rows: slice
    shape: tuple[int, int]
    transposed: bool = False


class EntryArithmetic(StepArithmetic):
    """All directions at once: a matrix is shared by them, but for the one entry each of its own directions moves."""

    def __init__(self) -> None:
        super().__init__()
        self.fused = False

    def array(self, value: Any) -> Any:
        return value if isinstance(value, Perturbed) else np.asarray(value, dtype=self.dtype)

    def transpose(self, matrix: Any) -> Any:
        return Perturbed(matrix.base.T, matrix.rows, matrix.shape, not matrix.transposed)

    def matrix_vector(self, matrix: Any, vector: Array) -> Array:
        product: Array = vector @ matrix.base.T
        ours, theirs = ("ijbj->ijb", "ijbi->ijb") if matrix.transposed else ("ijbi->ijb", "ijbj->ijb")
        out = product[matrix.rows].reshape(*matrix.shape, *product.shape[1:])
        moved = vector[matrix.rows].reshape(*matrix.shape, *vector.shape[1:])
        # Views of the entries (i, j) that each direction moves.
        target = np.einsum(ours, out)
        target += 1j * COMPLEX_STEP * np.einsum(theirs, moved)
        return product

    def vector_matrix(self, vector: Array, matrix: Any) -> Array:
        return self.matrix_vector(self.transpose(matrix), vector)
