"""Which jobs a benchmark consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from rnn_harness.benchmarks.closed_form import count_parameters, nearest_hidden_size
from rnn_harness.benchmarks.decay.candidate_decay import measure_decay_of_candidate
from rnn_harness.benchmarks.decay.initialisation import INITIALISATIONS, Initialisation
from rnn_harness.benchmarks.decay.measure import INPUT_SIZE as DECAY_INPUT_SIZE
from rnn_harness.benchmarks.decay.measure import measure_decay, measure_decay_of_equations
from rnn_harness.benchmarks.equations import measured_spec
from rnn_harness.benchmarks.job import BenchmarkJob, BenchmarkSize, TrainingPlan
from rnn_harness.benchmarks.learning.learner import Learner, cell_learners, learners
from rnn_harness.benchmarks.learning.tasks import TASKS
from rnn_harness.benchmarks.learning.train import measure_learning
from rnn_harness.benchmarks.learning.trained_cell import layer_maker
from rnn_harness.benchmarks.parameters import measure_parameters, spec_count
from rnn_harness.benchmarks.speed.competitors import KernelLoader
from rnn_harness.benchmarks.speed.grid_point import TIMED_SPECS, SpeedPoint
from rnn_harness.benchmarks.speed.speed import measure_speed
from rnn_harness.benchmarks.speed.stopwatch import SLICE
from rnn_harness.benchmarks.unrolled.measure import measure_unrolled
from rnn_harness.families import BENCHMARK_CELLS, FAMILIES
from rnn_harness.kernels import all_kernels
from rnn_harness.records.measurement import LearningMeasurement, Measurement, MeasurementKind
from rnn_harness.specs import library
from rnn_harness.validation.request import ValidationRequest

LEARNING_SEEDS = 3
_STEP_COST = {"rnn": 5, "gru": 13, "lstm": 3}
"""What a layer of torch takes for a time step of training, in units of 10 µs, by family."""
_STEP_COST_OF_CELLS = 60
"""What a cell of somebody's may take, which is called step by step."""
_DECAY_STEPS_OF_CELLS = 1000
"""As many steps at most are pulled back through a cell of somebody's: a float32 sees no gradient beyond them."""


def plan_jobs(
    size: BenchmarkSize,
    kinds: tuple[MeasurementKind, ...],
    families: tuple[str, ...],
    dtype: str,
    candidates: tuple[KernelLoader, ...] = (),
    specs: tuple[str, ...] = (),
    device: str = "cpu",
    cells: Mapping[str, ValidationRequest] | None = None,
) -> list[BenchmarkJob]:
    """Plan the jobs of a benchmark.

    Args:
        size: How much is measured.
        kinds: What is measured.
        families: The families that are compared: rnn, gru, lstm.
        dtype: The dtype of what is timed.
        candidates: Loaders of candidates that are timed too.
        specs: Ids or files of specs that are measured instead of the families; what learns is of the families.
        device: The device that times are taken on.
        cells: Cells whose decay is measured beside that of the families, and that learn beside them, by name.
    """
    jobs = []
    if "parameters" in kinds and specs:
        jobs += [_count_job(name) for name in specs]
    elif "parameters" in kinds:
        jobs.append(BenchmarkJob("parameters of every spec", 3.0, lambda _: measure_parameters(), "parameters"))
    if "decay" in kinds and specs:
        jobs += [_equations_decay_job(name, size) for name in specs]
    elif "decay" in kinds:
        jobs += [_decay_job(title, initial.name, size) for title, initial in _decay_pairs(families)]
        jobs += [_resized_decay_job(family, size) for family in families if family != "lstm"]
    if "decay" in kinds:
        jobs += [_candidate_decay_job(name, request, size) for name, request in (cells or {}).items()]
    if "learning" in kinds:
        for training in size.training:
            task = TASKS[training.task](training.steps)
            jobs += [_learning_job(training, learner) for learner in learners(task, families)]
            jobs += [_cell_learning_job(training, name, request) for name, request in (cells or {}).items()]
    if "unrolled" in kinds:
        jobs += [_unrolled_job(family) for family in families]
    if "speed" in kinds:
        points = _speed_points(size, families, dtype, specs, device)
        settings, times_candidates = (dtype, device, *map(_definition, specs)), bool(candidates)
        speed_jobs = (_speed_job(point, size.rounds, candidates) for point in points)
        jobs += [replace(job, settings=settings, times_candidates=times_candidates) for job in speed_jobs]
    return [replace(job, plan=size.name) for job in jobs]


def _decay_pairs(families: tuple[str, ...]) -> Iterator[tuple[str, Initialisation]]:
    """Yield the title of every cell with each initialisation it is measured at."""
    for cell in BENCHMARK_CELLS:
        for initial in INITIALISATIONS:
            is_meant = cell.family in families and cell.family in initial.families
            if is_meant and (cell.shipped or initial.name == "torch"):
                yield cell.title, initial


def _speed_points(
    size: BenchmarkSize, families: tuple[str, ...], dtype: str, specs: tuple[str, ...], device: str
) -> Iterator[SpeedPoint]:
    """Yield the points of the grid; the last sizes again at an equal number of parameters; then the variants."""
    for d, rows, steps in size.grid:
        for spec in specs or tuple(TIMED_SPECS[family] for family in families):
            yield SpeedPoint(spec, d, d, rows, steps, dtype, device)
    if specs:
        return
    d, rows, steps = size.grid[-1]
    total = count_parameters(library().spec(TIMED_SPECS["lstm"]), {"n": d, "d": d, "k": 1})
    for family in families:
        if family != "lstm":
            yield _at_equal_count(SpeedPoint(TIMED_SPECS[family], d, d, rows, steps, dtype, device), total)
    if size.times_variants:
        for kernel in all_kernels():
            if kernel.id.startswith("compiled/") and kernel.spec.partition(".")[0] in families:
                yield SpeedPoint(kernel.spec, 64, 64, 16, 50, dtype, device)


def _at_equal_count(point: SpeedPoint, total: int) -> SpeedPoint:
    """Return the same point with the hidden size at which the spec has about `total` parameters."""
    return replace(point, d=nearest_hidden_size(library().spec(point.spec), point.n, total))


def _speed_job(point: SpeedPoint, rounds: int, candidates: tuple[KernelLoader, ...]) -> BenchmarkJob:
    sizes = ", ".join(f"{name} = {size}" for name, size in point.sizes.items())
    compiled = 10.0 * sum(kernel.spec == point.spec and kernel.id.startswith("compiled") for kernel in all_kernels())
    seconds = 1.5 + compiled + rounds * (14 * SLICE + point.operations / 4_500_000_000)
    device = "" if point.device == "cpu" else f", on {point.device}"

    def run(check_interrupt: Callable[[], None]) -> Iterator[Measurement]:
        return measure_speed(point, rounds, candidates, check_interrupt)

    return BenchmarkJob(f"speed of {point.spec}, {sizes}{device}", seconds, run, "speed", exclusive=True)


def _learning_job(training: TrainingPlan, learner: Learner) -> BenchmarkJob:
    layers = TASKS[training.task](training.steps).layers
    per_step = layers * _STEP_COST[learner.family] / 100_000
    seconds = LEARNING_SEEDS * training.training_steps * (0.001 + training.steps * per_step)

    def run(check_interrupt: Callable[[], None]) -> Iterator[LearningMeasurement]:
        task = TASKS[training.task](training.steps)
        yield measure_learning(task, learner, training.training_steps, LEARNING_SEEDS, check_interrupt)

    return BenchmarkJob(f"{learner.name} learns {training.task}, T = {training.steps}", seconds, run, "learning")


def _cell_learning_job(training: TrainingPlan, name: str, request: ValidationRequest) -> BenchmarkJob:
    task = TASKS[training.task](training.steps)
    per_step = task.layers * _STEP_COST_OF_CELLS / 100_000
    seconds = LEARNING_SEEDS * training.training_steps * (0.001 + training.steps * per_step)

    def run(check_interrupt: Callable[[], None]) -> Iterator[LearningMeasurement]:
        for learner in cell_learners(name, layer_maker(request), task):
            yield measure_learning(task, learner, training.training_steps, LEARNING_SEEDS, check_interrupt)

    title = f"{name} learns {training.task}, T = {training.steps}"
    return BenchmarkJob(title, seconds, run, "learning", times_candidates=True)


def _resized_decay_job(family: str, size: BenchmarkSize) -> BenchmarkJob:
    """Return the job of a cell with as many parameters as the LSTM of the plan's size, at torch's initialisation."""
    d = size.decay_hidden_size
    total = count_parameters(library().spec(FAMILIES["lstm"].spec), {"n": DECAY_INPUT_SIZE, "d": d, "k": 1})
    resized_to = nearest_hidden_size(library().spec(FAMILIES[family].spec), DECAY_INPUT_SIZE, total)
    title = FAMILIES[family].torch_class
    seconds = size.decay_seeds * (0.02 + size.decay_steps / 4_000)

    def run(check_interrupt: Callable[[], None]) -> Iterator[Measurement]:
        yield measure_decay(title, "torch", size.decay_steps, d, size.decay_seeds, check_interrupt, resized_to)

    return BenchmarkJob(f"decay of {title}, torch, d = {resized_to}", seconds, run, "decay")


def _unrolled_job(family: str) -> BenchmarkJob:
    def run(check_interrupt: Callable[[], None]) -> Iterator[Measurement]:
        return measure_unrolled(family, check_interrupt=check_interrupt)

    return BenchmarkJob(f"{family.upper()} over a sentence, gate by gate", 1.0, run, "unrolled")


def _decay_job(title: str, initialisation: str, size: BenchmarkSize) -> BenchmarkJob:
    seconds = size.decay_seeds * (0.02 + size.decay_steps / 16_000)

    def run(check_interrupt: Callable[[], None]) -> Iterator[Measurement]:
        yield measure_decay(
            title, initialisation, size.decay_steps, size.decay_hidden_size, size.decay_seeds, check_interrupt
        )

    return BenchmarkJob(f"decay of {title}, {initialisation}", seconds, run, "decay")


def _candidate_decay_job(name: str, request: ValidationRequest, size: BenchmarkSize) -> BenchmarkJob:
    steps = min(size.decay_steps, _DECAY_STEPS_OF_CELLS)
    seconds = size.decay_seeds * (0.5 + steps / 300)

    def run(check_interrupt: Callable[[], None]) -> Iterator[Measurement]:
        yield measure_decay_of_candidate(request, steps, size.decay_hidden_size, size.decay_seeds, check_interrupt)

    title = f"decay of {name}, with its constructor's weights"
    return BenchmarkJob(title, seconds, run, "decay", times_candidates=True)


def _equations_decay_job(name: str, size: BenchmarkSize) -> BenchmarkJob:
    seconds = size.decay_seeds * (0.5 + size.decay_steps / 250)

    def run(check_interrupt: Callable[[], None]) -> Iterator[Measurement]:
        yield measure_decay_of_equations(
            name, size.decay_steps, size.decay_hidden_size, size.decay_seeds, check_interrupt
        )

    return BenchmarkJob(f"decay of {name}, by its equations", seconds, run, "decay", settings=(_definition(name),))


def _count_job(name: str) -> BenchmarkJob:
    def run(_: Callable[[], None]) -> Iterator[Measurement]:
        yield spec_count(measured_spec(name))

    return BenchmarkJob(f"parameters of {name}", 1.0, run, "parameters", settings=(_definition(name),))


def _definition(name: str) -> str:
    """Write a spec as text, of which a recorded measurement depends: a file may have changed."""
    return measured_spec(name).model.model_dump_json(exclude_defaults=True)
