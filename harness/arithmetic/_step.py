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
