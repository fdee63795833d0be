"""Measure the decay of a cell's gradient at one initialisation, over some seeds."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.decay import DecayCurve, decay_curve
from rnn_harness.benchmarks.decay.initialisation import find_initialisation
from rnn_harness.benchmarks.decay.jacobian_product import cell_steps, jacobians_agree
from rnn_harness.benchmarks.decay.step_bound import step_bound
from rnn_harness.families import BENCHMARK_CELLS
from rnn_harness.records.measurement import CurvePoint, DecayMeasurement, stamp
from rnn_harness.references import Reference, get_reference

DECAY_CELLS: dict[str, tuple[str, Reference]] = {
    cell.title: (cell.spec, get_reference(cell.family, **cell.reference_options)) for cell in BENCHMARK_CELLS
}
"""Spec and reference of every cell whose decay is measured, by its title."""
INPUT_SIZE = 16
_LOG_U32, _LOG_U64 = math.log(2.0**-23), math.log(2.0**-52)
"""Below these shares of a gradient of 1, a sum in float32 or float64 does not see it any more."""
_LAGS = (1, 2, 4, 8, 10, 16, 32, 64, 100, 200, 500, 1000)
_CELL_LAGS = (1, 10, 100, 200)
_STUDENT_T = {2: 12.71, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Student's t for 95 %, by the number of seeds."""


def measure_decay(
    title: str,
    initialisation: str,
    steps: int,
    hidden_size: int,
    seeds: int,
    check_interrupt: Callable[[], None] = lambda: None,
) -> DecayMeasurement:
    """Measure the decay of one cell at one initialisation.

    Args:
        title: The cell, a key of `DECAY_CELLS`.
        initialisation: The name of the initialisation.
        steps: The number T of time steps.
        hidden_size: The number d of units.
        seeds: How many seeds, from 0 on, for parameters and inputs.
        check_interrupt: Called after every seed.
    """
    spec, cell = DECAY_CELLS[title]
    initial = find_initialisation(initialisation)
    curves, agreements = [], []
    for seed in range(seeds):
        parameters = initial.draw(cell, INPUT_SIZE, hidden_size, np.random.default_rng(seed))
        curves.append(decay_curve(cell_steps(cell, parameters), INPUT_SIZE, steps, seed, initial.input_scale))
        agreements.append(jacobians_agree(cell, parameters, INPUT_SIZE, seed, initial.input_scale))
        check_interrupt()
    draws = (initial.draw(cell, INPUT_SIZE, hidden_size, np.random.default_rng(seed)) for seed in range(seeds))
    bounds = [step_bound(cell, parameters) for parameters in draws]
    rates = [10 ** _slope(curve, steps) for curve in curves]
    ci_low, ci_high = _mean_interval([math.log(rate) for rate in rates])
    rate = math.exp(sum(math.log(rate) for rate in rates) / len(rates))
    decays = rate < 1
    norms = np.mean([curve.norms for curve in curves], axis=0)
    cell_norms = [curve.cell_norms for curve in curves if curve.cell_norms is not None]
    return stamp(
        DecayMeasurement(
            subject=title,
            spec=spec,
            initialisation=initialisation,
            sizes={"n": INPUT_SIZE, "d": hidden_size, "T": steps},
            dtype="float64",
            samples=tuple(rates),
            rate=rate,
            ci_low=ci_low,
            ci_high=ci_high,
            agrees=all(agreements),
            reason="" if all(agreements) else "a step's Jacobian is not that of the reference's backward",
            log10_norms=_points(norms, _LAGS, steps),
            log10_cell_norms=_points(np.mean(cell_norms, axis=0), _CELL_LAGS, steps) if cell_norms else (),
            bound_per_step=float(np.mean(bounds)),
            half_life=math.log(2) / -math.log(rate) if decays else None,
            float32_horizon=_LOG_U32 / math.log(rate) if decays else None,
            float64_horizon=_LOG_U64 / math.log(rate) if decays else None,
            lyapunov_exponent=_lyapunov_exponent(norms, steps),
        )
    )


def _slope(curve: DecayCurve, steps: int) -> float:
    """Return log10 of the factor per step, from lag 10 to lag 100, or as far as there are lags."""
    far = min(100, steps)
    near = min(10, far // 2)
    return float((curve.norms[far] - curve.norms[near]) / (far - near))


def _mean_interval(logarithms: list[float]) -> tuple[float, float]:
    """Return exp of the ends of the 95 % interval of the mean over seeds."""
    mean = sum(logarithms) / len(logarithms)
    if len(logarithms) < 2:
        return math.exp(mean), math.exp(mean)
    error = float(np.std(logarithms, ddof=1)) / math.sqrt(len(logarithms))
    half_width = error * _STUDENT_T.get(len(logarithms), 2.0)
    return math.exp(mean - half_width), math.exp(mean + half_width)


def _lyapunov_exponent(norms: Array, steps: int) -> float:
    """Return the slope of the natural logarithm of the norm over the last nine tenths of the lags."""
    start = steps // 10
    return float((norms[steps] - norms[start]) / (steps - start)) * math.log(10)


def _points(norms: Array, lags: tuple[int, ...], steps: int) -> tuple[CurvePoint, ...]:
    return tuple(CurvePoint(lag, float(norms[lag])) for lag in lags if lag <= steps)
