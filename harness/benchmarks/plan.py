"""What a benchmark does: a plan of jobs, each independent of the others.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.decay import Curve, decay
from rnn_harness.benchmarks.decay.initialisation import INITIALISATIONS, Initialisation, initialisation
from rnn_harness.benchmarks.decay.jacobian_product import jacobians_agree, step_bound, tangent
from rnn_harness.benchmarks.learning.tasks import TASKS
from rnn_harness.benchmarks.learning.train import Learner, learned, learners
from rnn_harness.benchmarks.parameters import count, parameters
from rnn_harness.benchmarks.speed.speed import SPECS, SpeedPoint, at_equal_count, speed
from rnn_harness.benchmarks.speed.stopwatch import SLICE
from rnn_harness.families import BENCHMARK_CELLS
from rnn_harness.kernels import all_kernels
from rnn_harness.records.measurement import CurvePoint, DecayMeasurement, Measurement, MeasurementKind, stamp
from rnn_harness.references import Reference, get_reference
from rnn_harness.specs import library

CELLS: dict[str, tuple[str, Reference]] = {
    cell.title: (cell.spec, get_reference(cell.family, **cell.reference_options)) for cell in BENCHMARK_CELLS
}
U32, U64 = 2.0**-23, 2.0**-52
"""Below these shares of a gradient of 1, a sum in float32 or float64 does not see it any more."""


@dataclass(frozen=True)
class Job:
    """`cost`: seconds it takes about; `run` makes its measurements; `alone`: it times, so nothing may run beside it."""

    title: str
    cost: float
    run: Callable[[Callable[[], None]], Iterator[Measurement]]
    kind: MeasurementKind
    alone: bool = False


@dataclass(frozen=True)
class BenchmarkSize:
    """How much: `grid` of (d, B, T), rounds of timing, decay over `steps` at hidden size `width` for `seeds`; `tasks`
    with their steps and the steps of training. `variants`: time the cells that torch has no kernel for, too.
    """

    grid: tuple[tuple[int, int, int], ...]
    rounds: int
    steps: int
    width: int
    seeds: int
    tasks: tuple[tuple[str, int, int], ...] = ()
    variants: bool = False


_TINY = (("sentiment", 5, 100), ("ahead", 20, 150), ("carry", 20, 400), ("characters", 30, 150))
_LEARNT_QUICK = (("adding", 20, 400), *_TINY)
_SMALL = (("sentiment", 5, 200), ("ahead", 30, 300), ("carry", 30, 800))
_STREAMS = (("characters", 40, 300), ("forecast", 50, 600), ("forecasts", 50, 600))
_STREAMS_FULL = (("characters", 40, 600), ("forecast", 50, 2000), ("forecasts", 50, 1000))
_LEARNT = (*_SMALL, *_STREAMS, ("adding", 50, 1500), ("order", 50, 1000), ("copy", 20, 1000))
_LEARNT_FULL = (*_SMALL, *_STREAMS_FULL, ("adding", 100, 3000), ("order", 100, 2000), ("copy", 50, 2000))
_LARGE = ((16, 1, 100), (32, 16, 50), (64, 16, 50), (64, 64, 50), (128, 32, 100), (256, 64, 50))
QUICK = BenchmarkSize(((64, 16, 50),), 9, 200, 128, 3, _LEARNT_QUICK)
USUAL = BenchmarkSize(((32, 16, 50), (64, 16, 50), (128, 32, 50)), 15, 1000, 128, 5, _LEARNT)
FULL = BenchmarkSize(_LARGE, 25, 4000, 128, 10, _LEARNT_FULL, variants=True)
LEARNING_SEEDS = 3


def plan(
    amount: BenchmarkSize,
    what: tuple[str, ...],
    families: tuple[str, ...],
    dtype: str,
    cells: tuple[str, ...] = (),
    specs: tuple[str, ...] = (),
    device: str = "cpu",
) -> list[Job]:
    """The jobs of a benchmark. `what`: speed, parameters, decay, learning. `cells`: somebody's, as typed. `specs`: are
    timed in the place of those of the families, on `device`.
    """
    jobs = []
    if "parameters" in what:
        jobs.append(Job("parameters of every spec", 3.0, lambda _: parameters(), "parameters"))
    if "decay" in what:
        jobs += [_decay_job(name, one.name, amount) for name, one in _pairs(families)]
    if "learning" in what:
        for task, steps, budget in amount.tasks:
            jobs += [_learning_job(task, steps, budget, one) for one in learners(TASKS[task](steps), families)]
    if "speed" in what:
        for d, rows, steps in amount.grid:
            timed = specs or tuple(SPECS[family] for family in families)
            jobs += [_speed_job(SpeedPoint(spec, d, d, rows, steps, dtype, device), amount, cells) for spec in timed]
        d, rows, steps = amount.grid[-1]
        total = count(library().spec(SPECS["lstm"]), {"n": d, "d": d, "k": 1})
        for spec in (SPECS[family] for family in families if family != "lstm" and not specs):
            jobs.append(
                _speed_job(at_equal_count(SpeedPoint(spec, d, d, rows, steps, dtype, device), total), amount, cells)
            )
        if amount.variants and not specs:
            own = (one.spec for one in all_kernels() if one.id.startswith("compiled/"))
            chosen = (spec for spec in own if spec.partition(".")[0] in families)
            jobs += [_speed_job(SpeedPoint(spec, 64, 64, 16, 50, dtype, device), amount, cells) for spec in chosen]
    return jobs


def _pairs(families: tuple[str, ...]) -> Iterator[tuple[str, Initialisation]]:
    for cell in BENCHMARK_CELLS:
        for start in INITIALISATIONS:
            if cell.family in families and cell.family in start.cells and (cell.shipped or start.name == "torch"):
                yield cell.title, start


def _speed_job(point: SpeedPoint, amount: BenchmarkSize, cells: tuple[str, ...]) -> Job:
    sizes = ", ".join(f"{name} = {value}" for name, value in point.sizes.items())
    compiled = 10.0 * sum(one.spec == point.spec and one.id.startswith("compiled") for one in all_kernels())
    cost = 1.5 + compiled + amount.rounds * (14 * SLICE + point.operations / 4_500_000_000)
    where = "" if point.device == "cpu" else f", on {point.device}"
    return Job(
        f"speed of {point.spec}, {sizes}{where}",
        cost,
        lambda tick: speed(point, amount.rounds, cells, tick),
        "speed",
        True,
    )


def _learning_job(task: str, steps: int, budget: int, learner: Learner) -> Job:
    layers = TASKS[task](steps).layers
    each = layers * {"rnn": 5, "gru": 13, "lstm": 3}[learner.family] / 100_000
    cost = LEARNING_SEEDS * budget * (0.001 + steps * each)

    def run(tick: Callable[[], None]) -> Iterator[Measurement]:
        yield learned(task, steps, learner, budget, LEARNING_SEEDS, tick)

    return Job(f"{learner.name} learns {task}, T = {steps}", cost, run, "learning")


def _decay_job(name: str, initial: str, amount: BenchmarkSize) -> Job:
    cost = amount.seeds * (0.02 + amount.steps / 16_000)
    return Job(f"decay of {name}, {initial}", cost, lambda tick: _decayed(name, initial, amount, tick), "decay")


def _decayed(name: str, initial: str, amount: BenchmarkSize, tick: Callable[[], None]) -> Iterator[Measurement]:
    yield decayed(name, initial, amount.steps, amount.width, amount.seeds, tick)


def decayed(
    name: str, initial: str, steps: int, width: int, seeds: int, tick: Callable[[], None] = lambda: None
) -> DecayMeasurement:
    """The decay of one cell at one initialisation, over some seeds."""
    spec, cell = CELLS[name]
    one = initialisation(initial)
    curves, right = [], []
    for seed in range(seeds):
        made = one.make(cell, 16, width, np.random.default_rng(seed))
        curves.append(decay(tangent(cell, made), 16, steps, seed, one.inputs))
        right.append(jacobians_agree(cell, made, 16, seed, one.inputs))
        tick()
    bounds = [step_bound(cell, one.make(cell, 16, width, np.random.default_rng(seed))) for seed in range(seeds)]
    rates = [10 ** _slope(curve, steps) for curve in curves]
    low, high = _mean_interval([math.log(rate) for rate in rates])
    middle = math.exp(sum(math.log(rate) for rate in rates) / len(rates))
    mean = np.mean([curve.norms for curve in curves], axis=0)
    cells = [curve.cell for curve in curves if curve.cell is not None]
    start = steps // 10
    decays = middle < 1
    return stamp(
        DecayMeasurement(
            subject=name,
            spec=spec,
            initialisation=initial,
            sizes={"n": 16, "d": width, "T": steps},
            dtype="float64",
            samples=tuple(rates),
            rate=middle,
            ci_low=low,
            ci_high=high,
            agrees=all(right),
            reason="" if all(right) else "a step's Jacobian is not that of the reference's backward",
            log10_norms=_points(mean, _LAGS, steps),
            log10_cell_norms=_points(np.mean(cells, axis=0), _CELL_LAGS, steps) if cells else (),
            bound_per_step=float(np.mean(bounds)),
            half_life=math.log(2) / -math.log(middle) if decays else None,
            float32_horizon=math.log(U32) / math.log(middle) if decays else None,
            float64_horizon=math.log(U64) / math.log(middle) if decays else None,
            lyapunov_exponent=float((mean[steps] - mean[start]) / (steps - start)) * math.log(10),
        )
    )


def _slope(curve: Curve, steps: int) -> float:
    """log10 of the factor per step, from lag 10 to lag 100 (or as far as there are lags)."""
    far = min(100, steps)
    near = min(10, far // 2)
    return float((curve.norms[far] - curve.norms[near]) / (far - near))


_T95 = {2: 12.71, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Student's t for 95 %, by the number of seeds."""


def _mean_interval(logs: list[float]) -> tuple[float, float]:
    """exp of the 95 % interval of the mean over seeds."""
    middle = sum(logs) / len(logs)
    if len(logs) < 2:
        return math.exp(middle), math.exp(middle)
    spread = float(np.std(logs, ddof=1)) / math.sqrt(len(logs)) * _T95.get(len(logs), 2.0)
    return math.exp(middle - spread), math.exp(middle + spread)


_LAGS = (1, 2, 4, 8, 10, 16, 32, 64, 100, 200, 500, 1000)
_CELL_LAGS = (1, 10, 100, 200)


def _points(norms: Array, lags: tuple[int, ...], steps: int) -> tuple[CurvePoint, ...]:
    return tuple(CurvePoint(lag, float(norms[lag])) for lag in lags if lag <= steps)
