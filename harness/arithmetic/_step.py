"""Complex arithmetic for derivatives by one tiny imaginary step, along one direction.

The imaginary part b of every number is so small that b * b vanishes against 1 in float64, so exp(ib) = 1 + ib and
quotients lose their second-order terms exactly, not approximately. The functions below are complex exponentials and
quotients with those terms left out; no derivative of sigmoid or tanh is written in them.

Dimension legend: B batch rows; batched values are (B, d).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.arithmetic._numpy import NumpyArithmetic
from rnn_harness.specs.expression import Function

Array = NDArray[Any]


def _weight(a: Array, factor: float) -> tuple[Array, Array]:
    """w = exp(-factor |a|) and u = 1 + w."""
    w = np.abs(a)
    w *= -factor
    np.exp(w, out=w)
    return w, 1 + w


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)): with w = exp(-|a|) and u = 1 + w, the quotient's imaginary part is b w / u^2."""
    whole = np.empty(z.shape, np.complex128)
    w, u = _weight(z.real, 1)
    np.divide(np.where(z.real < 0, w, 1.0), u, out=whole.real)
    u *= u
    w /= u
    np.multiply(z.imag, w, out=whole.imag)
    return whole


def tanh(z: Array) -> Array:
    """(1 - exp(-2z)) / (1 + exp(-2z)): with w = exp(-2|a|) and u = 1 + w, the imaginary part is 4 b w / u^2."""
    whole = np.empty(z.shape, np.complex128)
    w, u = _weight(z.real, 2)
    np.tanh(z.real, out=whole.real)
    u *= u
    w /= u
    w *= 4
    np.multiply(z.imag, w, out=whole.imag)
    return whole


_FUNCTIONS: dict[Function, Callable[[Array], Array]] = {Function.SIGMOID: sigmoid, Function.TANH: tanh}


class StepArithmetic(NumpyArithmetic):
    """complex128 whose imaginary parts are a tiny step."""

    def __init__(self) -> None:
        super().__init__(np.complex128)
        self.key = "step"

    def apply(self, function: Function, argument: Array) -> Array:
        own = _FUNCTIONS.get(function)
        return super().apply(function, argument) if own is None else own(argument)
