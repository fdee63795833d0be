"""What every measurement holds, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

MeasurementKind = Literal["speed", "parameters", "decay", "learning", "unrolled"]
"""What a benchmark measures."""
BenchmarkPlan = Literal["", "quick", "usual", "full"]
"""How much a benchmark measures."""
SpeedPhase = Literal["forward", "backward", "both"]
"""Forward without a graph, backward alone, or forward and backward together."""


class CurvePoint(NamedTuple):
    """One point of a curve.

    Attributes:
        step: The lag in time steps (decay) or the number of training steps (learning).
        value: The curve's value there.
    """

    step: int
    value: float


class CurveBand(NamedTuple):
    """How far the seeds lie apart at one point of a curve.

    Attributes:
        step: That of the `CurvePoint`.
        low: The smallest value of a seed.
        high: The largest value of a seed.
    """

    step: int
    low: float
    high: float


class TrainedLength(NamedTuple):
    """A training without a limit to the gradient, on sequences of one length.

    Attributes:
        steps: The time steps of a sequence.
        training_steps: Steps of training until the loss was no number, or all of them.
        log10_gradient: log10 of the norm of the parameters' gradient before training; None where it is no number.
        first_loss: The loss before training.
        last_loss: The loss after the last of those steps; None where it is no number.
    """

    steps: int
    training_steps: int
    log10_gradient: float | None
    first_loss: float
    last_loss: float | None


MEASUREMENT_SCHEMA = 3
"""The version of the fields of measurements; other versions are refused."""


class MeasurementRecord(BaseModel):
    """What every measurement holds, whatever its kind.

    Attributes:
        schema_version: The version of the fields, to be raised when one changes its meaning.
        subject: The reference, kernel, candidate, cell or paper that was measured.
        spec: The id of its spec; empty where there is none.
        agrees: Whether the subject gave the right numbers at these sizes and this dtype; None where that was not
            checked. No time is shown of a subject that does not agree.
        reason: Why it does not agree, why there is no number, or what a count was compared with.
        job: The title of the benchmark job that made it.
        plan: Which plan of the benchmark that job belongs to; empty where it is not known.
        environment: The versions of the programs.
        machine: Processor, cores and threads.
        depends_on: Digest of everything that its job depends on; empty where that is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    schema_version: Literal[3] = 3
    subject: str
    spec: str
    agrees: bool | None = None
    reason: str = ""
    job: str = ""
    plan: BenchmarkPlan = ""
    environment: str = ""
    machine: str = ""
    depends_on: str = ""

    @property
    def aspect(self) -> str:
        """What of the subject was measured: phase, initialisation, task or origin; a kind that lacks it raises."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """What makes two measurements answers to the same question; a kind that lacks it raises."""
        raise NotImplementedError


class SampledMeasurement(MeasurementRecord):
    """A measurement that rests on repeated samples.

    Attributes:
        sizes: Sizes by their letters: n, d, B, T, and `layers`.
        dtype: The format of the numbers.
        samples: Every sample, in `unit`.
        ci_low, ci_high: The ends of the 95 % interval, in `unit`; None where there is none.
    """

    sizes: dict[str, int] = {}
    dtype: str = ""
    samples: tuple[float, ...] = ()
    ci_low: float | None = None
    ci_high: float | None = None

    @property
    def estimate(self) -> float | None:
        """The number that the interval is about; None where there is none. A kind that lacks it raises."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """Subject, aspect, sizes and dtype in words."""
        sizes = ", ".join(f"{name} = {size}" for name, size in self._conditions.items())
        return f"{self.subject}, {self.aspect}, {sizes}" + (f", {self.dtype}" if self.dtype else "")

    @property
    def _conditions(self) -> Mapping[str, int]:
        return self.sizes


def join_key(*parts: str) -> str:
    """Join the parts of a measurement's key.

    Args:
        parts: Kind, subject, spec and what else the question consists of.
    """
    return "|".join(parts)


def sizes_text(sizes: Mapping[str, int]) -> str:
    """Write sizes in the order of their letters, for a key.

    Args:
        sizes: Sizes by letter.
    """
    return ",".join(f"{name}={size}" for name, size in sorted(sizes.items()))
