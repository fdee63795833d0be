"""NumPy arithmetic in any dtype: float32, float64, longdouble, complex128."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from typing import cast

import numpy as np
from numpy.typing import DTypeLike

from rnn_harness.arithmetic.assumptions import LAYER_NORM_EPSILON
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function


def _exp_minus(z: Array) -> Array:
    """Compute exp(-z) for complex z with real functions, which are vectorised where the complex one is not."""
    w = np.empty_like(z)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        size = np.exp(-z.real)
        np.multiply(size, np.cos(z.imag), out=w.real)
        np.multiply(-size, np.sin(z.imag), out=w.imag)
    return w


def sigmoid(z: Array) -> Array:
    """Compute 1 / (1 + exp(-z)), real or complex, without overflow: exp is only taken of what is not positive.

    Args:
        z: Numbers of any shape; not changed.
    """
    if z.dtype.kind == "c":
        w = _exp_minus(np.where(z.real < 0, -z, z))
        value: Array = np.where(z.real < 0, w, 1) / (1 + w)
        return value
    with np.errstate(under="ignore"):
        w = np.exp(-np.abs(z))
    ratio: Array = np.where(z < 0, w, np.ones_like(z)) / (1 + w)
    return ratio


def tanh(z: Array) -> Array:
    """Compute the hyperbolic tangent; of complex z = a + ib as (t + iu) / (1 + itu) with t = tanh a, u = tan b.

    Args:
        z: Numbers of any shape; not changed.
    """
    if z.dtype.kind != "c":
        return np.tanh(z)
    t, u = np.tanh(z.real), np.tan(z.imag)
    w = np.empty_like(z)
    with np.errstate(under="ignore"):
        square = u * u
        bottom = 1 + t * t * square
        w.real = t * (1 + square) / bottom
        w.imag = u * (1 - t) * (1 + t) / bottom
    return w


def softmax(z: Array) -> Array:
    """Compute the softmax along the last axis, shifted by the largest real part.

    Args:
        z: Real or complex numbers of any shape; not changed.
    """
    powers = np.exp(z - z.real.max(axis=-1, keepdims=True))
    shares: Array = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def softplus(z: Array) -> Array:
    """Compute log(1 + exp(z)), real or complex: exp is only taken of what is not positive.

    Args:
        z: Numbers of any shape; not changed.
    """
    if z.dtype.kind != "c":
        return np.logaddexp(z, np.zeros((), z.dtype))
    value: Array = np.where(z.real > 0, z, 0) + np.log1p(np.exp(np.where(z.real > 0, -z, z)))
    return value


def row_mean(z: Array) -> Array:
    """Compute the mean along the last axis, in every entry of the row.

    Args:
        z: Real or complex numbers of any shape; not changed.
    """
    return np.broadcast_to(z.mean(axis=-1, keepdims=True), z.shape)


def inverse_deviation(z: Array) -> Array:
    """Compute 1 / sqrt(variance + `LAYER_NORM_EPSILON`) along the last axis, in every entry of the row.

    Args:
        z: Real or complex numbers of any shape; not changed.
    """
    centred = z - z.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return np.broadcast_to(1 / np.sqrt(variance + variance.dtype.type(float(LAYER_NORM_EPSILON))), z.shape)


_FUNCTIONS: dict[Function, Callable[[Array], Array]] = {
    Function.SIGMOID: sigmoid,
    Function.TANH: tanh,
    Function.SOFTMAX: softmax,
    Function.LOG: np.log,
    Function.RELU: lambda z: np.where(z.real > 0, z, 0),
    Function.STEP: lambda z: np.where(z.real > 0, np.ones_like(z), 0),
    Function.IDENTITY: lambda z: z,
    Function.EXP: np.exp,
    Function.SOFTPLUS: softplus,
    Function.SOFTPLUS_SLOPE: sigmoid,
    Function.SQRT: np.sqrt,
    Function.MEAN: row_mean,
    Function.INVERSE_DEVIATION: inverse_deviation,
}


@functools.lru_cache(maxsize=256)
def _number(value: Fraction) -> Array:
    """Return a Python float: beside it, NumPy keeps the dtype of an array, which it would not beside a float64."""
    return cast("Array", float(value))


class NumpyArithmetic:
    """Plain evaluation in one dtype; what the format rounds, is rounded.

    Attributes:
        dtype: The format of every value.
        fused: Whether sums may be taken in another order, for speed.
    """

    def __init__(self, dtype: DTypeLike = np.float64) -> None:
        self.dtype = np.dtype(dtype)
        self.fused = True
        # NumPy's own functions: a method around each would cost a call an operation.
        self.add: Callable[[Array, Array], Array] = np.add
        self.subtract: Callable[[Array, Array], Array] = np.subtract
        self.multiply: Callable[[Array, Array], Array] = np.multiply
        self.divide: Callable[[Array, Array], Array] = np.divide

    def scope(self) -> AbstractContextManager[None]:
        return nullcontext()

    def number(self, value: Fraction) -> Array:
        return _number(value)

    def array(self, value: Array) -> Array:
        return np.asarray(value, dtype=self.dtype)

    def settle(self, value: Array) -> Array:
        return value

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

    def apply(self, function: Function, argument: Array) -> Array:
        # A constant is a number until it meets an array.
        array = argument if isinstance(argument, np.ndarray) else np.asarray(argument, self.dtype)
        result: Array = _FUNCTIONS[function](array)
        return result

    def component(self, vector: Array, index: IndexArray) -> Array:
        return np.take_along_axis(vector, index[:, None], axis=-1)

    def place(self, scalar: Array, index: IndexArray, size: int) -> Array:
        result = np.zeros((len(index), size), self.dtype)
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
