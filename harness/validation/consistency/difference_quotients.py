"""Slopes of a target by central difference quotients, with what is known of their own error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnn_harness.arithmetic.assumptions import (
    JUMPS,
    LITTLE_STEP,
    QUOTIENT_ROUNDINGS,
    QUOTIENT_STEP,
    QUOTIENT_TRUNCATION,
    UNIT_ROUNDOFF,
)

Results = tuple[Tensor, ...]
Path = Callable[[float], Results]
"""Runs the target a number of steps away from where it stands, in one direction."""
ComplexPath = Callable[[complex], Results]
"""The same, where the number of steps may be complex."""
LONG_WAY, PLACES = 0.25, 16
"""How far, and at how many places, a function is followed to see whether it jumps."""


@dataclass(frozen=True)
class Slope:
    """The slope of cotangent times result along a path.

    Attributes:
        value: The slope.
        error: How far it may be from the true one.
    """

    value: float
    error: float


def slopes(path: Path, cotangents: Sequence[Tensor], dtype: str) -> list[Slope]:
    """Measure the slope of every result.

    Args:
        path: The results as a function of the distance gone.
        cotangents: What each result is multiplied with.
        dtype: The dtype that the path is computed in.
    """
    step = QUOTIENT_STEP[dtype]
    wide = _quotients(path, cotangents, 0.0, step)
    narrow = _quotients(path, cotangents, 0.0, step / 2)
    roundoff = float(UNIT_ROUNDOFF[dtype])
    sizes = [float((cotangent * value).abs().sum()) for cotangent, value in zip(cotangents, path(0.0), strict=True)]
    return [
        Slope((4 * near - far) / 3, QUOTIENT_TRUNCATION * abs(far - near) + QUOTIENT_ROUNDINGS * roundoff * size / step)
        for far, near, size in zip(wide, narrow, sizes, strict=True)
    ]


def _quotients(path: Path, cotangents: Sequence[Tensor], place: float, step: float) -> list[float]:
    """Central difference quotients of every result around a place of the path."""
    above, below = path(place + step), path(place - step)
    return [
        float((cotangent.double() * (a.double() - b.double())).sum()) / (2 * step)
        for cotangent, a, b in zip(cotangents, above, below, strict=True)
    ]


def has_jumps(path: Path, cotangents: Sequence[Tensor], dtype: str) -> bool:
    """Say whether slopes do not add up to what a result changes over a long way, as where weights are rounded.

    Args:
        path: The results as a function of the distance gone.
        cotangents: What each result is multiplied with.
        dtype: The dtype that the path is computed in.
    """
    far = _quotients(path, cotangents, 0.0, LONG_WAY)
    places = [LONG_WAY * (2 * k + 1 - PLACES) / PLACES for k in range(PLACES)]
    local = [_quotients(path, cotangents, place, QUOTIENT_STEP[dtype]) for place in places]
    means = [sum(values) / PLACES for values in zip(*local, strict=True)]
    sizes = [max(map(abs, values)) for values in zip(*local, strict=True)]
    return any(
        abs(mean - total) > JUMPS * max(abs(total), size) for mean, total, size in zip(means, far, sizes, strict=True)
    )


def middle_entry(values: Tensor) -> Tensor:
    """Return a direction that moves one entry alone, of middle size: the largest may be the unit of a rounding.

    Args:
        values: What is moved.
    """
    direction = torch.zeros(values.numel(), dtype=values.dtype)
    if values.numel():
        direction[values.detach().flatten().abs().argsort()[values.numel() // 2]] = 1.0
    return direction.reshape(values.shape)


def loses_a_little_step(path: Path, dtype: str) -> bool:
    """Say whether a little step changes no bit of any result, and a long one does, as where an entry is rounded.

    Args:
        path: The results as a function of the distance gone, along one entry.
        dtype: The dtype that the path is computed in.
    """
    still, near, far = (path(distance) for distance in (0.0, LITTLE_STEP[dtype], LONG_WAY))
    is_lost = all(torch.equal(a, b) for a, b in zip(still, near, strict=True))
    return is_lost and not all(torch.equal(a, b) for a, b in zip(still, far, strict=True))


def complex_step_slopes(path: ComplexPath, cotangents: Sequence[Tensor], step: float) -> list[float]:
    """Compute slopes by a step into the complex numbers, which has neither truncation nor rounding to speak of.

    Args:
        path: The path, on complex tensors.
        cotangents: What each result is multiplied with.
        step: The size of the imaginary step.

    Raises:
        TypeError: A result is not complex, so that the target lost the step.
    """
    results = path(complex(0.0, step))
    if not all(value.is_complex() for value in results):
        raise TypeError("what comes back is not complex")
    return [
        float((cotangent.double() * value.imag).sum()) / step
        for cotangent, value in zip(cotangents, results, strict=True)
    ]


def random_like(values: Sequence[Tensor], generator_seed: int) -> list[Tensor]:
    """Draw standard normal numbers in the shapes and dtypes of tensors.

    Args:
        values: Tensors, of which shapes and dtypes are taken.
        generator_seed: Where the numbers start; they are drawn in float64, then rounded.
    """
    generator = torch.Generator().manual_seed(generator_seed)
    return [
        torch.randn(list(value.shape), generator=generator, dtype=torch.float64).to(value.dtype) for value in values
    ]
