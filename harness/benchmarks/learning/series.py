"""The documents' forecasting models as tasks: the next values of a time series whose covariance is known."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.learning.task import Batch, Task

STACKED_HIDDEN_SIZES = {"rnn": 20, "gru": 11, "lstm": 10}
"""Hidden sizes of two layers of nearly the same number of parameters: 1,281 in 003:451-456."""


class _Wave(NamedTuple):
    """A wave of a series.

    Attributes:
        amplitude: Its largest value.
        low: The lowest frequency, in radians a step.
        high: The highest frequency.
    """

    amplitude: float
    low: float
    high: float


_WAVES = (_Wave(0.5, 0.2, 0.4), _Wave(0.2, 0.4, 0.8))
_NOISE = 0.1
"""Width of the uniform noise on every value."""


def covariance(lag: int) -> float:
    """Return the covariance of two values of a series, over all series.

    Phases are uniform, so the mean of cos(w lag) is all there is.

    Args:
        lag: The steps between the two values, of either sign.
    """
    if lag == 0:
        return sum(wave.amplitude * wave.amplitude / 2 for wave in _WAVES) + _NOISE**2 / 12
    return sum(wave.amplitude * wave.amplitude / 2 * _mean_cosine(wave, lag) for wave in _WAVES)


def linear_loss(count: int, lag: int) -> float:
    """Return the mean squared error of the best linear forecast from the last `count` values, `lag` steps ahead.

    Args:
        count: The number of values that are known, at least 1.
        lag: The steps from the last of them to the value that is forecast, at least 1.
    """
    lags = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    known = np.array([covariance(k) for k in range(count)])[lags]
    ahead = np.array([covariance(k + lag) for k in reversed(range(count))])
    return float(covariance(0) - ahead @ np.linalg.solve(known, ahead))


@functools.cache
def memoryless_loss(lag: int) -> float:
    """Return the mean squared error of the best forecast from the last value alone, `lag` steps ahead.

    Phases are uniform, so of a wave whose value is A the mean `lag` steps later is A times the mean of cos(w lag): the
    best forecast is the mean of both waves' A given their noisy sum, which is no straight line. It is integrated over
    phases in equal steps, the noise over bins of a hundredth of its width.

    Args:
        lag: The steps from the last value to the one that is forecast, at least 1.
    """
    phases = (np.arange(2000) + 0.5) * math.pi / 2000 - math.pi / 2
    waves = np.stack(np.broadcast_arrays(*np.ix_(*(wave.amplitude * np.sin(phases) for wave in _WAVES))))
    ahead = sum(_mean_cosine(wave, lag) * values for wave, values in zip(_WAVES, waves, strict=True))
    width = _NOISE / 100
    bins = np.rint(waves.sum(axis=0) / width).astype(np.intp).ravel()
    bins -= bins.min()
    noise = np.ones(100) / 100
    density = np.convolve(np.bincount(bins), noise)
    weighted = np.convolve(np.bincount(bins, np.ravel(ahead)), noise)
    explained = float((weighted**2 / np.maximum(density, noise[0])).sum() / bins.size)
    return covariance(0) - explained


def _mean_cosine(wave: _Wave, lag: int) -> float:
    """Return the mean of cos(w lag) over a wave's frequencies w."""
    return (math.sin(wave.high * lag) - math.sin(wave.low * lag)) / ((wave.high - wave.low) * lag)


def draw_series(rng: np.random.Generator, steps: int, batch: int) -> Array:
    """Draw series (steps, batch, 1) in float32.

    Args:
        rng: The source of frequencies, phases and noise.
        steps: The number of values.
        batch: The number of series.
    """
    t = np.arange(steps)[:, None]
    x = rng.uniform(-_NOISE / 2, _NOISE / 2, (steps, batch))
    for amplitude, low, high in _WAVES:
        x += amplitude * np.sin(rng.uniform(low, high, batch) * t + rng.uniform(0, 2 * math.pi, batch))
    return x.astype(np.float32)[..., None]


def forecast_task(steps: int) -> Task:
    """Build 003:451-456, two layers of 20 units and a dense one: the next value of a series, after its last.

    A model that does better than the best line through all the values has solved it; without memory there is only the
    last value.

    Args:
        steps: T, the number of values that are read.
    """

    def draw(rng: np.random.Generator, batch: int) -> Batch:
        x = draw_series(rng, steps + 1, batch)
        return Batch(x[:-1], x[-1])

    return Task(
        "forecast",
        "the next value of a time series",
        steps,
        1,
        1,
        "number",
        memoryless_loss(1),
        linear_loss(steps, 1),
        draw,
        best=_NOISE**2 / 12,
        hidden_sizes=STACKED_HIDDEN_SIZES,
        layers=2,
    )


def forecasts_task(steps: int) -> Task:
    """Build 003:462-467, the same with ten outputs at every step: the next ten values, each time. Solved likewise.

    Args:
        steps: T, the number of values that are read.
    """
    horizon = 10

    def draw(rng: np.random.Generator, batch: int) -> Batch:
        x = draw_series(rng, steps + horizon, batch)
        return Batch(x[:steps], np.stack([x[h : h + steps, :, 0] for h in range(1, horizon + 1)], axis=-1))

    chance = sum(memoryless_loss(h) for h in range(1, horizon + 1)) / horizon
    solved = sum(linear_loss(t, h) for t in range(1, steps + 1) for h in range(1, horizon + 1)) / horizon / steps
    return Task(
        "forecasts",
        "the next ten values of a time series, at every step",
        steps,
        1,
        horizon,
        "numbers",
        chance,
        solved,
        draw,
        best=_NOISE**2 / 12,
        hidden_sizes=STACKED_HIDDEN_SIZES,
        layers=2,
    )
