"""Overflow-safe activations and their derivatives in terms of their own value.

The sigmoid is 1 / (1 + exp(-x)): where exp overflows the quotient is 0, which is what the smallest numbers round
to, so overflow is ignored on purpose. Written with tanh it would be faster, but lose all relative accuracy for
very negative x (a forget gate that is almost closed).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_harness.references._base import Array
from rnn_harness.references._validate import ReferenceError


def sigmoid_into(x: Array) -> Array:
    """Overwrite `x` with sigmoid(x), entry by entry; any shape.

    The sign is changed by a product: NumPy 2.4.6's np.negative(x, out=x) returns wrong numbers for float32 arrays
    with a stride of 16 bytes, which is what one column of four gates is.
    """
    np.multiply(x, -1, out=x)
    with np.errstate(over="ignore"):
        np.exp(x, out=x)
    x += 1
    np.reciprocal(x, out=x)
    return x


def tanh_into(x: Array) -> Array:
    """Overwrite `x` with tanh(x)."""
    np.tanh(x, out=x)
    return x


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), entry by entry."""
    return sigmoid_into(np.array(x))


def sigmoid_slope(s: Array) -> Array:
    """The derivative of the sigmoid where its value is `s`."""
    slope: Array = s * (1 - s)
    return slope


def tanh_slope(t: Array) -> Array:
    """The derivative of tanh where its value is `t`."""
    return 1 - t * t


def softmax(x: Array) -> Array:
    """exp(x) / sum(exp(x)) along the last axis, shifted by the largest entry so that nothing overflows."""
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    total: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return total


_PAIRS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "sigmoid": (sigmoid_into, sigmoid_slope),
    "tanh": (tanh_into, tanh_slope),
}


def activation(name: str) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """(in-place function, derivative from the value) of ``"sigmoid"`` or ``"tanh"``. Raises ReferenceError."""
    if name not in _PAIRS:
        raise ReferenceError(f"activation is {name!r}, expected one of {', '.join(map(repr, _PAIRS))}")
    return _PAIRS[name]
