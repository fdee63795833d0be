"""Gradient clipping: by value, as 001:239 describes it, and by norm, as Pascanu, Mikolov & Bengio 2013 do.

Clipping by norm keeps the direction, clipping by value does not. Neither repairs a gradient that has already
overflowed: a gradient that is not finite is refused, instead of being turned into zero or NaN in silence.
"""

from __future__ import annotations

import math

import numpy as np

from rnn_harness.references.arguments import ArgumentError
from rnn_harness.references.array_types import Array
from rnn_harness.references.protocol import Arrays


def _check_finite(gradients: Arrays, limit: float) -> None:
    """Raise ArgumentError on a limit that is not positive and finite, or a gradient that is not finite."""
    if not (limit > 0 and math.isfinite(limit)):
        raise ArgumentError(f"the limit is {limit!r}, expected a positive finite number")
    bad = [name for name, gradient in gradients.items() if not np.isfinite(gradient).all()]
    if bad:
        raise ArgumentError(
            f"the gradient of {', '.join(bad)} is not finite: clipping cannot repair an overflow; "
            "shorten the sequence, lower the weights' scale, or use a wider dtype"
        )


def global_norm(gradients: Arrays) -> float:
    """Compute the Euclidean norm of all gradients together, free of overflow.

    Args:
        gradients: arrays of any shape by name; none give a norm of 0.
    """
    return math.hypot(*(float(np.linalg.norm(gradient.astype(np.float64))) for gradient in gradients.values()))


def clip_by_value(gradients: Arrays, limit: float) -> dict[str, Array]:
    """Bring every entry into [-limit, limit].

    Args:
        gradients: gradients by name, of any shape.
        limit: the largest size of an entry.

    Returns:
        New arrays by name.

    Raises:
        ArgumentError: on a limit <= 0 or a gradient that is not finite.
    """
    _check_finite(gradients, limit)
    return {name: np.clip(gradient, -limit, limit) for name, gradient in gradients.items()}


def clip_by_norm(gradients: Arrays, limit: float) -> dict[str, Array]:
    """Scale all gradients by one factor so that their joint norm is at most `limit`.

    Args:
        gradients: gradients by name, of any shape.
        limit: the largest Euclidean norm of all gradients together.

    Returns:
        New arrays by name, of the same dtypes.

    Raises:
        ArgumentError: on a limit <= 0 or a gradient that is not finite.
    """
    _check_finite(gradients, limit)
    norm = global_norm(gradients)
    factor = limit / norm if norm > limit else 1.0
    return {name: (gradient * factor).astype(gradient.dtype) for name, gradient in gradients.items()}
