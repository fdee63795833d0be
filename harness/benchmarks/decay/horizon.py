"""How far back a format sees the gradient: where the measured curve itself crosses what the format can show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.seed_interval import mean_interval


@dataclass(frozen=True)
class GradientHorizon:
    """The lag beyond which a format does not see the gradient any more, over some seeds.

    Attributes:
        steps: The mean over the seeds, in steps.
        low: The lower end of its 95 % interval.
        high: The upper end.
    """

    steps: float
    low: float
    high: float


def last_crossing(norms: Array, limit: float) -> float | None:
    """Return the lag at which a curve falls below a limit for good, between two lags by a straight line.

    Args:
        norms: log10 of the gradient's norm at lag 0, 1, ..., T, (T + 1,).
        limit: log10 of the least norm that is seen.

    Returns:
        The lag; None where the curve is still above the limit at lag T, or never was.
    """
    above = np.flatnonzero(norms >= limit)
    if not len(above) or above[-1] == len(norms) - 1:
        return None
    lag = int(above[-1])
    if not math.isfinite(norms[lag + 1]):
        return float(lag)
    return lag + float((norms[lag] - limit) / (norms[lag] - norms[lag + 1]))


def gradient_horizon(curves: Sequence[Array], limit: float) -> GradientHorizon | None:
    """Return where the curves of some seeds cross a limit.

    Args:
        curves: For each seed log10 of the norm by lag, as of `last_crossing`.
        limit: log10 of the least norm that is seen.

    Returns:
        The horizon with its interval; None where a seed's curve does not cross within its lags: nothing is continued
        beyond what was measured.
    """
    crossings = [last_crossing(norms, limit) for norms in curves]
    lags = [lag for lag in crossings if lag is not None]
    if not lags or len(lags) < len(crossings):
        return None
    low, high = mean_interval(lags)
    return GradientHorizon(sum(lags) / len(lags), max(low, 0.0), high)
