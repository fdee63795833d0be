"""Complex arithmetic for derivatives by one tiny imaginary step, along one direction.

The imaginary part b of every number is so small that b * b vanishes against 1 in float64, so exp(ib) = 1 + ib and
quotients lose their second-order terms exactly, not approximately. The functions below are complex exponentials and
quotients with those terms left out; no derivative of sigmoid or tanh is written in them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_harness.arithmetic.numpy_arithmetic import NumpyArithmetic
from rnn_harness.array_types import Array
from rnn_harness.specs.expression import Function

# Arrays without a dimension: a Python number would be converted anew by every call.
_0, _1, _MINUS_1, _MINUS_2, _4 = (np.array(float(value)) for value in (0, 1, -1, -2, 4))


def _quotient(a: Array, factor: Array) -> tuple[Array, Array]:
    """Return (u, w / u^2) with w = exp(factor |a|) and u = 1 + w; `factor` is negative, so nothing overflows."""
    w = np.abs(a)
    w *= factor
    np.exp(w, out=w)
    u = w + _1
    w /= u
    w /= u
    return u, w


def sigmoid(z: Array) -> Array:
    """Compute 1 / (1 + exp(-z)): with w = exp(-|a|) and u = 1 + w, the quotient's imaginary part is b w / u^2.

    The real part is exp(min(a, 0)) / u, of which the numerator is 1 or w.

    Args:
        z: A + ib with b so small that its square does not count; of any shape, not changed.
    """
    a, value = z.real, np.empty_like(z)
    u, slope = _quotient(a, _MINUS_1)
    top = np.minimum(a, _0)
    np.exp(top, out=top)
    np.divide(top, u, out=value.real)
    np.multiply(z.imag, slope, out=value.imag)
    return value


def tanh(z: Array) -> Array:
    """Compute (1 - exp(-2z)) / (1 + exp(-2z)): with w = exp(-2|a|) and u = 1 + w, the imaginary part is 4 b w / u^2.

    Args:
        z: A + ib with b so small that its square does not count; of any shape, not changed.
    """
    a, value = z.real, np.empty_like(z)
    _, slope = _quotient(a, _MINUS_2)
    slope *= _4
    np.tanh(a, out=value.real)
    np.multiply(z.imag, slope, out=value.imag)
    return value


_FUNCTIONS: dict[Function, Callable[[Array], Array]] = {Function.SIGMOID: sigmoid, Function.TANH: tanh}


class StepArithmetic(NumpyArithmetic):
    """complex128 whose imaginary parts are a tiny step."""

    def __init__(self) -> None:
        super().__init__(np.complex128)

    def apply(self, function: Function, argument: Array) -> Array:
        step = _FUNCTIONS.get(function)
        if step is None:
            return super().apply(function, argument)
        return step(argument) if np.ndim(argument) else step(argument[np.newaxis])[0, ...]
