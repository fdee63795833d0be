"""Measurements as they are written: one model for each kind, read from JSON by its field `kind`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from rnn_harness.errors import UsageError
from rnn_harness.printable import printable_values
from rnn_harness.records.measurement_base import (
    MEASUREMENT_SCHEMA,
    BenchmarkPlan,
    CurveBand,
    CurvePoint,
    MeasurementKind,
    MeasurementRecord,
    SampledMeasurement,
    SpeedPhase,
    TrainedLength,
    join_key,
    sizes_text,
)
from rnn_harness.records.unrolled import UnrolledMeasurement
from rnn_harness.runtime.atomic_file import write_whole
from rnn_harness.runtime.input_file import parse_json, read_text_file

__all__ = [
    "BY_CONSTRUCTOR",
    "BY_EQUATIONS",
    "BenchmarkPlan",
    "CurveBand",
    "CurvePoint",
    "DecayMeasurement",
    "FailedBenchmark",
    "LearningMeasurement",
    "Measurement",
    "MeasurementKind",
    "MeasurementRecord",
    "ParameterCount",
    "SampledMeasurement",
    "SpeedMeasurement",
    "SpeedPhase",
    "TrainedLength",
    "UnrolledMeasurement",
    "parse_measurement",
    "read_measurements",
    "write_measurements",
]


BY_EQUATIONS = "uniform"
"""The initialisation of a spec whose decay is measured by its equations."""
BY_CONSTRUCTOR = "its constructor's"
"""The initialisation of a candidate whose decay is measured."""


class SpeedMeasurement(SampledMeasurement):
    """Seconds per call of one competitor, or of a floor.

    Attributes:
        phase: What of a training step was timed.
        device: ``cpu`` or ``cuda``.
        median: The median of the samples, in seconds; None where it is lost in noise.
        profiled_ops: The operators that torch's profiler saw.
        control: Samples of the fixed work that was timed in the same rounds, in seconds.
        control_drift: The control's time in the last third of the rounds over that in the first.
        operations: Floating-point operations of the matrix products.
        bytes_moved: Bytes that must move at least.
        share_of_peak: Operations a second over those of one large matrix product.
        share_of_roofline: Operations a second over what the peak and the memory's bandwidth allow.
        peak_memory_mb: The most memory that one call takes, in MiB.
    """

    kind: Literal["speed"] = "speed"
    phase: SpeedPhase
    device: str = "cpu"
    unit: Literal["s"] = "s"
    median: float | None = None
    profiled_ops: str = ""
    control: tuple[float, ...] = ()
    control_drift: float | None = None
    operations: int | None = None
    bytes_moved: int | None = None
    share_of_peak: float | None = None
    share_of_roofline: float | None = None
    peak_memory_mb: float | None = None

    @property
    def aspect(self) -> str:
        """The phase."""
        return self.phase

    @property
    def estimate(self) -> float | None:
        """The median, in seconds."""
        return self.median

    @property
    def key(self) -> str:
        """Kind, subject, spec, phase, sizes, dtype and device."""
        return join_key(self.kind, self.subject, self.spec, self.phase, sizes_text(self.sizes), self.dtype, self.device)


class DecayMeasurement(SampledMeasurement):
    """The factor per step of the norm of d h_T / d s_{T-k}, over the lag k, of one cell at one initialisation.

    Attributes:
        initialisation: The name of the initialisation.
        rate: The geometric mean of the factor per step over the seeds, from lag 10 to lag 100.
        samples: The factor per step of each seed.
        log10_norms: log10 of the gradient's norm over sqrt(d) by lag, mean over the seeds.
        norm_bands: The smallest and the largest of the seeds at the same lags; empty where it was not kept.
        log10_cell_norms: The same for an LSTM's cell state alone; empty for other cells.
        bound_per_step: The bound on the factor from singular values of the recurrent weights, mean over the seeds; None
            where the weights alone give none.
        half_life: Steps after which half of the norm is left; None where the rate's interval reaches 1.
        float32_horizon: The lag beyond which a sum in float32 does not see the gradient: where the curve itself crosses
            2^-23, mean over the seeds; None where it does not within T.
        float32_horizon_low: The lower end of the horizon's 95 % interval.
        float32_horizon_high: The upper end.
        float64_horizon: The same as `float32_horizon` in float64.
        lyapunov_exponent: The slope of the natural logarithm of the norm over the last nine tenths of the lags.
        parameters: The number of the cell's parameters; 0 where it was not kept.
        trainings: Where the gradient surely grows, what training without clipping does to the loss, by length.
        jacobians: By what the Jacobians were taken: the ``reference``'s written derivative, autograd over the
            ``equations``, or the ``candidate``'s own vector-Jacobian products.
        jacobians_note: Why not by the candidate's own products, or that these are not those of its equations; empty
            where there is nothing to say.
    """

    kind: Literal["decay"] = "decay"
    initialisation: str
    unit: Literal["per step"] = "per step"
    rate: float
    log10_norms: tuple[CurvePoint, ...] = ()
    norm_bands: tuple[CurveBand, ...] = ()
    log10_cell_norms: tuple[CurvePoint, ...] = ()
    bound_per_step: float | None = None
    half_life: float | None = None
    float32_horizon: float | None = None
    float32_horizon_low: float | None = None
    float32_horizon_high: float | None = None
    float64_horizon: float | None = None
    lyapunov_exponent: float
    parameters: int = 0
    trainings: tuple[TrainedLength, ...] = ()
    jacobians: Literal["reference", "equations", "candidate"] = "reference"
    jacobians_note: str = ""

    @property
    def aspect(self) -> str:
        """The initialisation."""
        return self.initialisation

    @property
    def estimate(self) -> float | None:
        """The rate per step."""
        return self.rate

    @property
    def key(self) -> str:
        """Kind, subject, spec, initialisation, sizes and dtype."""
        return join_key(self.kind, self.subject, self.spec, self.initialisation, sizes_text(self.sizes), self.dtype)

    @property
    def surely_decays(self) -> bool:
        """Whether all of the rate's 95 % interval is below 1."""
        return self.ci_high is not None and self.ci_high < 1

    @property
    def surely_grows(self) -> bool:
        """Whether all of the rate's 95 % interval is above 1."""
        return self.ci_low is not None and self.ci_low > 1

    @property
    def float32_reach(self) -> str:
        """How far float32 sees the gradient, in words: the horizon, or that it is not within the steps measured."""
        if self.float32_horizon is None:
            return f"beyond {self.sizes['T']} steps" if "T" in self.sizes else "no end"
        return f"{self.float32_horizon:.0f} steps"

    def log10_norm(self, lag: int) -> float | None:
        """Return log10 of the norm at a lag; None where it was not recorded.

        Args:
            lag: The number of steps between state and gradient, k in d h_T / d s_{T-k}.
        """
        return next((point.value for point in self.log10_norms if point.step == lag), None)


class LearningMeasurement(SampledMeasurement):
    """The loss of fresh sequences after training one learner on one task, over some seeds.

    Attributes:
        task: The task's name.
        task_title: What the task asks for.
        training_steps: Steps of training.
        median: The median over the seeds of the loss after training.
        samples: The loss of each seed.
        chance: The least loss that a model without a memory can reach.
        best: A loss that no model goes below; 0 where none is known.
        seeds: The number of seeds.
        seeds_solved: The number of seeds whose loss fell below the task's threshold.
        steps_until_solved: The median of training steps until then, over the seeds that solved it.
        seconds: The median over the seeds of the seconds of training.
        parameters: The number of trained parameters.
        loss_curve: The median loss over the seeds by training step.
        loss_bands: The smallest and the largest loss of the seeds at the same steps; empty where it was not kept.
        rate_before, rate_after: The gradient's factor per step before and after training; None: not measured.
    """

    kind: Literal["learning"] = "learning"
    task: str
    task_title: str
    training_steps: int
    unit: Literal["loss"] = "loss"
    median: float
    chance: float
    best: float = 0.0
    seeds: int
    seeds_solved: int
    steps_until_solved: float | None = None
    seconds: float
    parameters: int
    loss_curve: tuple[CurvePoint, ...] = ()
    loss_bands: tuple[CurveBand, ...] = ()
    rate_before: float | None = None
    rate_after: float | None = None

    @property
    def aspect(self) -> str:
        """The task's name."""
        return self.task

    @property
    def estimate(self) -> float | None:
        """The median loss."""
        return self.median

    @property
    def key(self) -> str:
        """Kind, subject, spec, task, sizes, training steps and dtype."""
        return join_key(self.kind, self.subject, self.spec, self.task, sizes_text(self._conditions), self.dtype)

    @property
    def _conditions(self) -> Mapping[str, int]:
        return {**self.sizes, "steps": self.training_steps}


class ParameterCount(MeasurementRecord):
    """A number of parameters in closed form, and whether it agrees with what it was compared with.

    Attributes:
        origin: Whether the formula is a spec's, that of a model of the documents, or a paper's.
        sizes: The sizes at which `count` holds.
        count: The number of parameters.
        formula: The closed form.
        compared_with: Whose counts it was compared with; empty where there is none.
    """

    kind: Literal["parameters"] = "parameters"
    origin: Literal["spec", "model", "paper"]
    sizes: dict[str, int] = Field(default_factory=dict)
    unit: Literal["parameters"] = "parameters"
    count: int
    formula: str
    compared_with: tuple[str, ...] = ()

    @property
    def aspect(self) -> str:
        """The origin."""
        return self.origin

    @property
    def key(self) -> str:
        """Kind, subject, spec, origin and sizes."""
        return join_key(self.kind, self.subject, self.spec, self.origin, sizes_text(self.sizes))


class FailedBenchmark(MeasurementRecord):
    """A benchmark job that raised, or whose process died: `reason` says how.

    Attributes:
        job_kind: The kind of measurement that the job would have made.
    """

    kind: Literal["failed"] = "failed"
    job_kind: MeasurementKind
    agrees: bool | None = False

    @property
    def aspect(self) -> str:
        """``failed``."""
        return self.kind

    @property
    def key(self) -> str:
        """Kind, kind of the job, and subject."""
        return join_key(self.kind, self.job_kind, self.subject)


Measurement = Annotated[
    SpeedMeasurement | DecayMeasurement | LearningMeasurement | ParameterCount | UnrolledMeasurement | FailedBenchmark,
    Field(discriminator="kind"),
]
"""One line of a benchmark; `kind` says which."""
_ADAPTER: TypeAdapter[Measurement] = TypeAdapter(Measurement)


def parse_measurement(row: object) -> Measurement:
    """Read one measurement from its JSON object, by its `kind`.

    Args:
        row: The object; unknown fields are errors.

    Raises:
        pydantic.ValidationError: It is no measurement of this version.
    """
    return _ADAPTER.validate_python(row)


def write_measurements(path: Path, measurements: Iterable[Measurement]) -> None:
    """Write measurements as JSON Lines; the file is written completely or not at all.

    Args:
        path: The file; its folder is created, and an older file replaced.
        measurements: One a line, in this order.

    Raises:
        UsageError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (measurement.model_dump_json() + "\n" for measurement in measurements)
        write_whole(path, "".join(lines))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


def read_measurements(path: Path, warnings: list[str] | None = None) -> list[Measurement]:
    """Read measurements from JSON Lines.

    Args:
        path: The file, one measurement a line.
        warnings: Gets a sentence where the last line is cut off, as that of a killed run, and left out.

    Raises:
        UsageError: The file cannot be read, or a line that is not cut off, which is named, is no measurement.
    """
    measurements = []
    lines = read_text_file(path, "measurements").split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            data = printable_values(parse_json(line))
            _check_version(data, f"{path}:{number}")
            measurements.append(_ADAPTER.validate_python(data))
        except UsageError:
            raise
        except ValueError as error:
            if number == len(lines) and not _is_json(line):  # a whole line has an end, behind which there is nothing
                if warnings is not None:
                    warnings.append(f"{path}:{number}: the last measurement is cut off, and was skipped")
                break
            raise UsageError(f"{path}:{number}: not a measurement: {str(error).splitlines()[0]}") from None
    return measurements


def _is_json(line: str) -> bool:
    """Whether a line is a whole value of JSON."""
    try:
        parse_json(line)
    except ValueError:
        return False
    return True


def _check_version(data: object, place: str) -> None:
    """Refuse a measurement whose fields are those of another version.

    Raises:
        UsageError: They are; the message says what to do.
    """
    version = data.get("schema_version", MEASUREMENT_SCHEMA) if isinstance(data, dict) else MEASUREMENT_SCHEMA
    if isinstance(version, int) and version != MEASUREMENT_SCHEMA:
        age = "newer" if version > MEASUREMENT_SCHEMA else "older"
        raise UsageError(
            f"{place}: not a measurement of this version: its schema is {version}, of a program that is {age}; this "
            f"one reads schema {MEASUREMENT_SCHEMA}: measure again with rnn-harness bench"
        )
