"""Measure the decay of a cell's gradient at one initialisation, over some seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.decay import DecayCurve, decay_curve
from rnn_harness.benchmarks.decay.equation_steps import EquationSteps, equations_agree
from rnn_harness.benchmarks.decay.exploding_training import TRAINED_LENGTHS, train_unclipped
from rnn_harness.benchmarks.decay.horizon import gradient_horizon
from rnn_harness.benchmarks.decay.initialisation import find_initialisation
from rnn_harness.benchmarks.decay.jacobian_product import cell_steps, jacobians_agree
from rnn_harness.benchmarks.decay.seed_interval import mean_interval
from rnn_harness.benchmarks.decay.step_bound import step_bound
from rnn_harness.benchmarks.equations import measured_spec
from rnn_harness.comparison.apply_rules import parameter_shapes
from rnn_harness.errors import NotRun
from rnn_harness.families import BENCHMARK_CELLS
from rnn_harness.records.gradient_visibility import FAR_LAG, FLOAT32_LIMIT, FLOAT64_LIMIT, NEAR_LAG
from rnn_harness.records.measurement import BY_EQUATIONS, CurveBand, CurvePoint, DecayMeasurement
from rnn_harness.records.measurement_stamp import stamp
from rnn_harness.references import Reference, get_reference
from rnn_harness.validation.judging.own_specs import without_reference
from rnn_harness.validation.judging.spec_file import has_equal_sizes

DECAY_CELLS: dict[str, tuple[str, Reference]] = {
    cell.title: (cell.spec, get_reference(cell.family, **cell.reference_options)) for cell in BENCHMARK_CELLS
}
"""Spec and reference of every cell whose decay is measured, by its title."""
INPUT_SIZE = 16
_LAGS = (1, 2, 4, 8, NEAR_LAG, 16, 32, 64, FAR_LAG, 200, 500, 1000)
_CELL_LAGS = (1, NEAR_LAG, FAR_LAG, 200)


def measure_decay(
    title: str,
    initialisation: str,
    steps: int,
    hidden_size: int,
    seeds: int,
    check_interrupt: Callable[[], None] = lambda: None,
    resized_to: int | None = None,
) -> DecayMeasurement:
    """Measure the decay of one cell at one initialisation.

    Args:
        title: The cell, a key of `DECAY_CELLS`.
        initialisation: The name of the initialisation.
        steps: The number T of time steps.
        hidden_size: The number d of units.
        seeds: How many seeds, from 0 on, for parameters and inputs.
        check_interrupt: Called after every seed.
        resized_to: Another number of units, which then stands behind the cell's title; None for `hidden_size`.
    """
    spec, cell = DECAY_CELLS[title]
    hidden_size = hidden_size if resized_to is None else resized_to
    initial = find_initialisation(initialisation)
    measured = []
    for seed in range(seeds):
        parameters = initial.draw(cell, INPUT_SIZE, hidden_size, np.random.default_rng(seed))
        curve = decay_curve(cell_steps(cell, parameters), INPUT_SIZE, steps, seed, initial.input_scale)
        agrees = jacobians_agree(cell, parameters, INPUT_SIZE, seed, initial.input_scale)
        measured.append(MeasuredSeed(curve, agrees, step_bound(cell, parameters)))
        check_interrupt()
    sizes = {"n": INPUT_SIZE, "d": hidden_size, "T": steps}
    count = sum(math.prod(shape) for shape in cell.parameter_shapes(INPUT_SIZE, hidden_size).values())
    name = title if resized_to is None else f"{title}, d = {resized_to}"
    measurement = decay_measurement(name, spec, initialisation, sizes, count, measured)
    if not measurement.surely_grows:
        return measurement
    trainings = [train_unclipped(cell, initial, INPUT_SIZE, hidden_size, length) for length in TRAINED_LENGTHS]
    return measurement.model_copy(update={"trainings": tuple(trainings)})


def measure_decay_of_equations(
    name: str,
    steps: int,
    hidden_size: int,
    seeds: int,
    check_interrupt: Callable[[], None] = lambda: None,
) -> DecayMeasurement:
    """Measure the decay of a spec by its equations, with every parameter uniform within 1/sqrt(d).

    Args:
        name: The id of a shipped spec, or a spec file.
        steps: The number T of time steps.
        hidden_size: The number d of units.
        seeds: How many seeds, from 0 on, for parameters and inputs.
        check_interrupt: Called after every seed.
    """
    spec = without_reference(measured_spec(name))
    sizes = {"n": hidden_size if has_equal_sizes(spec) else INPUT_SIZE, "d": hidden_size}
    shapes = parameter_shapes(spec.program(), sizes)
    limit = 1 / math.sqrt(hidden_size)
    measured = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        parameters = {name: rng.uniform(-limit, limit, shape) for name, shape in sorted(shapes.items())}
        curve = decay_curve(EquationSteps(spec, parameters, sizes), sizes["n"], steps, seed)
        # What the state holds beside the output differs from cell to cell: it is no curve of an LSTM's c alone.
        curve = replace(curve, cell_norms=None)
        measured.append(MeasuredSeed(curve, equations_agree(spec, parameters, sizes, seed), None))
        check_interrupt()
    count = sum(math.prod(shape) for shape in shapes.values())
    measurement = decay_measurement(spec.id, spec.id, BY_EQUATIONS, {**sizes, "T": steps}, count, measured)
    return measurement.model_copy(update={"jacobians": "equations"})


@dataclass(frozen=True)
class MeasuredSeed:
    """What one seed gives.

    Attributes:
        curve: The norm of the gradient by lag.
        agrees: Whether the Jacobians are right.
        bound: The bound of a step; None where there is none.
    """

    curve: DecayCurve
    agrees: bool
    bound: float | None


def decay_measurement(
    title: str,
    spec: str,
    initialisation: str,
    sizes: Mapping[str, int],
    parameters: int,
    seeds: Sequence[MeasuredSeed],
) -> DecayMeasurement:
    """Put the measurements of all seeds together.

    Args:
        title: What was measured.
        spec: Its spec, by id or file; empty where there is none.
        initialisation: How its weights were drawn.
        sizes: n, d and T.
        parameters: The number of its parameters.
        seeds: What every seed gave, at least one.
    """
    steps, curves = sizes["T"], [seed.curve for seed in seeds]
    is_right = all(seed.agrees for seed in seeds)
    slopes = [_slope(curve, steps) for curve in curves]
    ci_low, ci_high = (10**end for end in mean_interval(slopes))
    rate = 10 ** (sum(slopes) / len(slopes))
    norms = np.mean([curve.norms for curve in curves], axis=0)
    cell_norms = [curve.cell_norms for curve in curves if curve.cell_norms is not None]
    known_bounds = [seed.bound for seed in seeds if seed.bound is not None]
    in_float32 = gradient_horizon([curve.norms for curve in curves], FLOAT32_LIMIT)
    in_float64 = gradient_horizon([curve.norms for curve in curves], FLOAT64_LIMIT)
    return stamp(
        DecayMeasurement(
            subject=title,
            spec=spec,
            initialisation=initialisation,
            sizes=dict(sizes),
            dtype="float64",
            samples=tuple(10**slope for slope in slopes),
            rate=rate,
            ci_low=ci_low,
            ci_high=ci_high,
            agrees=is_right,
            reason="" if is_right else "a step's Jacobian is not that of the backward it is held against",
            log10_norms=_points(norms, _LAGS, steps),
            norm_bands=_bands([curve.norms for curve in curves], steps),
            log10_cell_norms=_points(np.mean(cell_norms, axis=0), _CELL_LAGS, steps) if cell_norms else (),
            bound_per_step=float(np.mean(known_bounds)) if known_bounds else None,
            half_life=math.log(2) / -math.log(rate) if ci_high < 1 else None,
            float32_horizon=None if in_float32 is None else in_float32.steps,
            float32_horizon_low=None if in_float32 is None else in_float32.low,
            float32_horizon_high=None if in_float32 is None else in_float32.high,
            float64_horizon=None if in_float64 is None else in_float64.steps,
            parameters=parameters,
            lyapunov_exponent=_lyapunov_exponent(norms, steps),
        )
    )


def _slope(curve: DecayCurve, steps: int) -> float:
    """Return log10 of the factor per step between the lags of a rate, or as far as there are lags with a gradient."""
    far = _last_lag(curve.norms, min(FAR_LAG, steps))
    near = min(NEAR_LAG, far // 2)
    return float((curve.norms[far] - curve.norms[near]) / (far - near))


def _last_lag(norms: Array, most: int) -> int:
    """Return the last lag up to `most` at which a gradient is not exactly zero, as that of a dead ReLU is.

    Raises:
        NotRun: There is none but lag 0.
    """
    last = int(np.flatnonzero(np.isfinite(norms[: most + 1]))[-1])
    if not last:
        raise NotRun("no gradient reaches the state one step before")
    return last


def _lyapunov_exponent(norms: Array, steps: int) -> float:
    """Return the slope of the natural logarithm of the norm over the last nine tenths of the lags with a gradient."""
    last = _last_lag(norms, steps)
    start = last // 10
    return float((norms[last] - norms[start]) / (last - start)) * math.log(10)


def _bands(norms: list[Array], steps: int) -> tuple[CurveBand, ...]:
    """Return the smallest and the largest of the seeds at every lag that is kept."""
    lowest, highest = np.min(norms, axis=0), np.max(norms, axis=0)
    return tuple(CurveBand(lag, float(lowest[lag]), float(highest[lag])) for lag in _LAGS if lag <= steps)


def _points(norms: Array, lags: tuple[int, ...], steps: int) -> tuple[CurvePoint, ...]:
    return tuple(CurvePoint(lag, float(norms[lag])) for lag in lags if lag <= steps and np.isfinite(norms[lag]))
