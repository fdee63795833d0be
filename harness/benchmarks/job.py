"""The jobs that a benchmark consists of, each independent of the others, and how much they measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rnn_harness.records.measurement import BenchmarkPlan, Measurement, MeasurementKind


@dataclass(frozen=True)
class BenchmarkJob:
    """One job of a benchmark.

    Attributes:
        title: Its title, by which it is recognised in a file of measurements.
        seconds: The seconds that it takes, estimated.
        run: Makes its measurements; takes a callback that raises KeyboardInterrupt where the user interrupts.
        kind: The kind of its measurements.
        exclusive: Whether it times, so that nothing may run at the same time.
        plan: The plan that it belongs to.
        settings: What its measurements depend on besides its title and its plan: formats, devices, specs.
        times_candidates: Whether it times or trains candidates: it runs code of others, which may depend on anything.
    """

    title: str
    seconds: float
    run: Callable[[Callable[[], None]], Iterator[Measurement]]
    kind: MeasurementKind
    exclusive: bool = False
    plan: BenchmarkPlan = ""
    settings: tuple[str, ...] = ()
    times_candidates: bool = False


class GridSizes(NamedTuple):
    """Sizes at which speed is measured.

    Attributes:
        d: The hidden size, and the input size.
        B: Batch rows.
        T: Time steps.
    """

    d: int
    B: int
    T: int


class TrainingPlan(NamedTuple):
    """How long a task is trained.

    Attributes:
        task: The task's name.
        steps: The task's time steps.
        training_steps: Steps of training.
    """

    task: str
    steps: int
    training_steps: int


@dataclass(frozen=True)
class BenchmarkSize:
    """How much is measured.

    Attributes:
        grid: The sizes at which speed is measured.
        rounds: Samples of each time.
        decay_steps: Time steps over which decay is measured.
        decay_hidden_size: The hidden size at which it is measured.
        decay_seeds: Seeds over which it is measured.
        training: The tasks that are learned.
        times_variants: Whether cells that torch has no kernel for are timed too.
        name: The name of the plan.
    """

    grid: tuple[GridSizes, ...]
    rounds: int
    decay_steps: int
    decay_hidden_size: int
    decay_seeds: int
    training: tuple[TrainingPlan, ...] = ()
    times_variants: bool = False
    name: BenchmarkPlan = ""


_SHORT_TASKS = (
    TrainingPlan("sentiment", 5, 100),
    TrainingPlan("ahead", 20, 150),
    TrainingPlan("carry", 20, 400),
    TrainingPlan("characters", 30, 150),
)
_SMALL_TASKS = (
    TrainingPlan("sentiment", 5, 200),
    TrainingPlan("ahead", 30, 300),
    TrainingPlan("carry", 30, 800),
)
_STREAMS = (
    TrainingPlan("characters", 40, 300),
    TrainingPlan("forecast", 50, 600),
    TrainingPlan("forecasts", 50, 600),
)
_LONG_STREAMS = (
    TrainingPlan("characters", 40, 600),
    TrainingPlan("forecast", 50, 2000),
    TrainingPlan("forecasts", 50, 1000),
)
_MEMORY_TASKS = (
    TrainingPlan("adding", 50, 1500),
    TrainingPlan("order", 50, 1000),
    TrainingPlan("copy", 20, 1000),
)
_LONG_MEMORY_TASKS = (
    TrainingPlan("adding", 100, 3000),
    TrainingPlan("order", 100, 2000),
    TrainingPlan("copy", 50, 2000),
)
_LARGE_GRID = (
    GridSizes(16, 1, 100),
    GridSizes(32, 16, 50),
    GridSizes(64, 16, 50),
    GridSizes(64, 64, 50),
    GridSizes(128, 32, 100),
    GridSizes(256, 64, 50),
)
QUICK = BenchmarkSize(
    (GridSizes(64, 16, 50),), 9, 200, 128, 3, (TrainingPlan("adding", 20, 400), *_SHORT_TASKS), name="quick"
)
USUAL = BenchmarkSize(
    (GridSizes(32, 16, 50), GridSizes(64, 16, 50), GridSizes(128, 32, 50)),
    15,
    1000,
    128,
    5,
    (*_SMALL_TASKS, *_STREAMS, *_MEMORY_TASKS),
    name="usual",
)
FULL = BenchmarkSize(
    _LARGE_GRID,
    25,
    4000,
    128,
    10,
    (*_SMALL_TASKS, *_LONG_STREAMS, *_LONG_MEMORY_TASKS),
    times_variants=True,
    name="full",
)
