"""How well a form of numbers fits a loss: those of a wrong layout may be spread over each other, and raise nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_harness.arithmetic.assumptions import QUOTIENT_STEP, STRUCTURAL
from rnn_harness.array_types import Array
from rnn_harness.validation.cells.loss_function import LossNumbers, drawn_numbers
from rnn_harness.validation.loading.loss_calls import LossCall

_STEP, _TOLERANCE = QUOTIENT_STEP["float64"], STRUCTURAL["float64"]
_MOST_ENTRIES, _FEWEST_RIGHT = 64, 3


class LossFit(NamedTuple):
    """How well a form fits; the larger the better, what stands first decides first.

    Attributes:
        gradients: How many weights get a gradient of their shape.
        is_right: Whether all of them are slopes of the loss.
        is_batch: Whether rows go in together: what takes one row may be spread over several, and not the other way.
        right: How many of them are slopes of the loss.
    """

    gradients: int
    is_right: bool
    is_batch: bool
    right: int


def fit_of(loss: LossCall) -> LossFit | None:
    """Say how well the form of a loss of numbers fits.

    Args:
        loss: The loss, which gives gradients and a finite number.

    Returns:
        The fit; None where no gradient is a slope, up to a factor, so that its author meant another form. Of one flat
        vector some entries must be right, and most of them in use.
    """
    numbers, rng = drawn_numbers(loss, 0), np.random.default_rng(1)
    with np.errstate(all="ignore"):
        gradients = loss.run(numbers).gradients
        if len(loss.parameters) == 1 and all(value.ndim == 1 for value in gradients.values()):
            ((name, gradient),) = gradients.items()
            ways = np.eye(gradient.size)[rng.permutation(gradient.size)[:_MOST_ENTRIES]]
            right = _right_entries([_factor(loss, numbers, name, way, gradient) for way in ways])
            fits = right >= _FEWEST_RIGHT
            return LossFit(1, right == len(ways), loss.form.is_batch, right) if fits else None
        right = 0
        for name, gradient in gradients.items():
            ways = rng.standard_normal((2, *gradient.shape))
            first, second = (_factor(loss, numbers, name, way, gradient) for way in ways)
            right += bool(gradient.size > 1 and abs(first - second) <= _TOLERANCE * abs(first) > 0)
    return LossFit(len(gradients), right == len(gradients), loss.form.is_batch, right) if right else None


def _right_entries(factors: list[float]) -> int:
    """How many entries are slopes, or one multiple of them; 0 where few have any influence."""
    used = np.array([factor for factor in factors if factor and np.isfinite(factor)])
    if 2 * used.size <= len(factors):
        return 0
    return max(int((np.abs(used - usual) <= _TOLERANCE * abs(usual)).sum()) for usual in (1.0, float(np.median(used))))


def _factor(loss: LossCall, numbers: LossNumbers, name: str, way: Array, gradient: Array) -> float:
    """How many times the slope of a loss along a way its gradient is; NaN where it has no slope."""
    value = numbers.parameters[name]
    ends = [loss.run(numbers.with_parameter(name, value + step * way)).loss for step in (_STEP, -_STEP)]
    slope = (ends[0] - ends[1]) / (2 * _STEP)
    return float((gradient * way).sum()) / slope if slope else np.nan
