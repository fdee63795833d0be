"""Overflow-safe activations and their derivatives in terms of their own value.

The sigmoid is 1 / (1 + exp(-x)): where exp overflows the quotient is 0, which is what the smallest numbers round
to, so overflow is ignored on purpose. Written with tanh it would be faster, but lose all relative accuracy for
very negative x (a forget gate that is almost closed).
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from jaxtyping import Inexact

from rnn_harness.references.arguments import ArgumentError
from rnn_harness.references.array_types import Array, DType


@functools.cache
def scalar_one(dtype: DType) -> Inexact[Array, ""]:
    """Return the number 1 as an array of `dtype`.

    A Python number would be converted again at every call, and the cells compute with 1 at every step.

    Args:
        dtype: a floating or a complex dtype.
    """
    return np.ones((), dtype)


def sigmoid_to(x: Inexact[Array, "*shape"], out: Inexact[Array, "*shape"]) -> None:
    """Put sigmoid(x) into `out`, which may be `x`; the caller ignores overflow, on purpose (see above).

    The sign is changed by a product: NumPy 2.4.6's np.negative(x, out=x) returns wrong numbers for float32 arrays
    with a stride of 16 bytes, which is what one column of four gates is.

    Args:
        x: the pre-activations, of any shape.
        out: an array of the same shape and dtype.
    """
    np.multiply(x, -1, out=out)
    sigmoid_of_minus_to(out, out)


def sigmoid_of_minus_to(x: Inexact[Array, "*shape"], out: Inexact[Array, "*shape"]) -> None:
    """Put sigmoid(-x) into `out`, which may be `x`; the caller ignores overflow, on purpose (see above).

    Args:
        x: the pre-activations with the opposite sign, of any shape.
        out: an array of the same shape and dtype.
    """
    np.exp(x, out=out)
    out += scalar_one(out.dtype)
    np.reciprocal(out, out=out)


def tanh_to(x: Inexact[Array, "*shape"], out: Inexact[Array, "*shape"]) -> None:
    """Put tanh(x) into `out`, which may be `x`.

    Args:
        x: the pre-activations, of any shape.
        out: an array of the same shape and dtype.
    """
    np.tanh(x, out=out)


def sigmoid(x: Inexact[Array, "*shape"]) -> Inexact[Array, "*shape"]:
    """Compute 1 / (1 + exp(-x)), entry by entry.

    Args:
        x: any shape.

    Returns:
        A new array of the same shape and dtype.
    """
    s = np.empty_like(x)
    with np.errstate(over="ignore"):
        sigmoid_to(x, s)
    return s


def sigmoid_slope_to(s: Inexact[Array, "*shape"], out: Inexact[Array, "*shape"]) -> None:
    """Put the derivative of the sigmoid where its value is `s` into `out`, which is another array.

    Args:
        s: values of the sigmoid, not its argument; they are not changed.
        out: an array of the same shape and dtype; it becomes s (1 - s).
    """
    np.subtract(1, s, out=out)
    out *= s


def tanh_slope_to(t: Inexact[Array, "*shape"], out: Inexact[Array, "*shape"]) -> None:
    """Put the derivative of tanh where its value is `t` into `out`.

    Args:
        t: values of tanh, not its argument; they are not changed.
        out: another array of the same shape and dtype; it becomes 1 - t^2.
    """
    np.multiply(t, t, out=out)
    np.subtract(1, out, out=out)


def softmax(x: Inexact[Array, "*shape"]) -> Inexact[Array, "*shape"]:
    """Compute exp(x) / sum(exp(x)) along the last axis, shifted by the largest entry so that nothing overflows.

    Args:
        x: the logits, at least one axis.

    Returns:
        A new array of the same shape; its entries sum to 1 along the last axis.
    """
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    normalised: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return normalised


InPlace = Callable[[Array, Array], None]
"""A function that writes its result for the first argument into the second."""

_ACTIVATIONS: dict[str, tuple[InPlace, InPlace]] = {
    "sigmoid": (sigmoid_to, sigmoid_slope_to),
    "tanh": (tanh_to, tanh_slope_to),
}


def activation(name: str) -> tuple[InPlace, InPlace]:
    """Look up an activation by its name.

    Args:
        name: ``"sigmoid"`` or ``"tanh"``.

    Returns:
        (the function, its derivative in terms of the function's value); both write into their second argument.

    Raises:
        ArgumentError: for any other name.
    """
    if name not in _ACTIVATIONS:
        raise ArgumentError(f"activation is {name!r}, expected one of {', '.join(map(repr, _ACTIVATIONS))}")
    return _ACTIVATIONS[name]
