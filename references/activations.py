"""Overflow-safe activations and their derivatives in terms of their own value.

The sigmoid is 1 / (1 + exp(-x)): where exp overflows the quotient is 0, which is what the smallest numbers round
to, so overflow is ignored on purpose. Written with tanh it would be faster, but lose all relative accuracy for
very negative x (a forget gate that is almost closed).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_harness.references.arguments import ArgumentError
from rnn_harness.references.array_types import Array


@functools.cache
def one(dtype: np.dtype[Any]) -> Array:
    """The number 1, to be computed with at every step: a Python number would be converted anew by every call."""
    return np.ones((), dtype)


def sigmoid_to(x: Array, out: Array) -> None:
    """Put sigmoid(x) into `out`, which may be `x`; the caller ignores overflow, on purpose (see above).

    The sign is changed by a product: NumPy 2.4.6's np.negative(x, out=x) returns wrong numbers for float32 arrays
    with a stride of 16 bytes, which is what one column of four gates is.
    """
    np.multiply(x, -1, out=out)
    sigmoid_of_minus_to(out, out)


def sigmoid_of_minus_to(x: Array, out: Array) -> None:
    """Put sigmoid(-x) into `out`, which may be `x`; the caller ignores overflow, on purpose (see above)."""
    np.exp(x, out=out)
    out += one(out.dtype)
    np.reciprocal(out, out=out)


def tanh_to(x: Array, out: Array) -> None:
    """Put tanh(x) into `out`, which may be `x`."""
    np.tanh(x, out=out)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), entry by entry."""
    s = np.empty_like(x)
    with np.errstate(over="ignore"):
        sigmoid_to(x, s)
    return s


def sigmoid_slope_to(s: Array, out: Array) -> None:
    """Put the derivative of the sigmoid where its value is `s` into `out`, which is another array."""
    np.subtract(1, s, out=out)
    out *= s


def tanh_slope_to(t: Array, out: Array) -> None:
    """Put the derivative of tanh where its value is `t` into `out`."""
    np.multiply(t, t, out=out)
    np.subtract(1, out, out=out)


def softmax(x: Array) -> Array:
    """exp(x) / sum(exp(x)) along the last axis, shifted by the largest entry so that nothing overflows."""
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    total: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return total


_Into = Callable[[Array, Array], None]
_PAIRS: dict[str, tuple[_Into, _Into]] = {
    "sigmoid": (sigmoid_to, sigmoid_slope_to),
    "tanh": (tanh_to, tanh_slope_to),
}


def activation(name: str) -> tuple[_Into, _Into]:
    """(function, derivative from the value) of ``"sigmoid"`` or ``"tanh"``; both write into their second argument.

    Raises ArgumentError for any other name.
    """
    if name not in _PAIRS:
        raise ArgumentError(f"activation is {name!r}, expected one of {', '.join(map(repr, _PAIRS))}")
    return _PAIRS[name]
