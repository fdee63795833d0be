"""The commands on the page: they make the page's own numbers again, each of the plan that its measurement is of."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from rnn_harness.families import FAMILIES
from rnn_harness.records.measurement import (
    BY_CONSTRUCTOR,
    BY_EQUATIONS,
    BenchmarkPlan,
    DecayMeasurement,
    FailedBenchmark,
    LearningMeasurement,
    Measurement,
    MeasurementKind,
    ParameterCount,
    SpeedMeasurement,
    UnrolledMeasurement,
)

_OPTIONS: dict[BenchmarkPlan, str] = {"quick": " --quick", "full": " --full"}
_EVERY_SPEC = "parameters of every spec"
"""The title of the job that counts the parameters of what ships."""


@dataclass(frozen=True)
class PlanOnPage:
    """A plan of the benchmark that measurements on a page are of.

    Attributes:
        name: The plan.
        kinds: What was measured by it, sorted.
    """

    name: BenchmarkPlan
    kinds: tuple[MeasurementKind, ...]

    def bench(self, arguments: str) -> str:
        """Return the command that measures by this plan.

        Args:
            arguments: What is measured, and of which families or specs.
        """
        return f"rnn-harness bench {arguments}{_OPTIONS.get(self.name, '')}"

    @property
    def records(self) -> str:
        """The command that records its measurements again."""
        return f"{self.bench(' '.join(self.kinds))} --records {self.name}.jsonl"


@dataclass(frozen=True)
class PagePlan:
    """Which plans of the benchmark a page shows.

    Attributes:
        plans: Those of its measurements, by name; a page that `report` makes has one.
    """

    plans: tuple[PlanOnPage, ...] = ()

    @property
    def names(self) -> tuple[BenchmarkPlan, ...]:
        """The names of the plans, sorted."""
        return tuple(plan.name for plan in self.plans)

    @property
    def is_quick(self) -> bool:
        """Whether anything on it is of the quick plan."""
        return "quick" in self.names

    @property
    def note(self) -> str:
        """What the reader must know of the plans; empty where it is the usual one."""
        if len(self.plans) > 1:
            listed = "; ".join(f"{plan.name} ({', '.join(plan.kinds)})" for plan in self.plans)
            small = " The quick plan has small sizes, few seeds and few steps of training." if self.is_quick else ""
            return f"This page holds measurements of {len(self.plans)} plans: {listed}.{small}"
        if not self.is_quick:
            return ""
        return (
            "This is a quick page: small sizes, few seeds and steps of training, and only the fixed cases of the "
            "equations. rnn-harness report, without --quick, makes the full one."
        )

    def bench(self, kind: MeasurementKind) -> str:
        """Return the command that measures again all of one kind; of several plans, one command after the other.

        Args:
            kind: What is measured.
        """
        commands = [plan.bench(kind) for plan in self.plans if kind in plan.kinds]
        return " && ".join(commands) or f"rnn-harness bench {kind}"

    def verify(self, names: str) -> str:
        """Return the command that decides again what stands on the page.

        Args:
            names: Ids of entries, specs or pairs.
        """
        return f"rnn-harness verify {names}" + (" --examples 0" if self.is_quick else "")

    @property
    def report(self) -> str:
        """The command that makes the whole page again; empty where it was made from the records of other plans."""
        commands: dict[tuple[BenchmarkPlan, ...], str] = {(): "", ("usual",): "", ("quick",): " --quick"}
        options = commands.get(self.names)
        return "" if options is None else f"rnn-harness report{options}"


def page_plan(measurements: Sequence[Measurement]) -> PagePlan:
    """Return the plans that measurements are of.

    Args:
        measurements: Those that stand on a page.
    """
    kinds: dict[BenchmarkPlan, set[MeasurementKind]] = {}
    for row in measurements:
        if row.plan:
            kinds.setdefault(row.plan, set()).add(row.job_kind if isinstance(row, FailedBenchmark) else row.kind)
    return PagePlan(tuple(PlanOnPage(name, tuple(sorted(measured))) for name, measured in sorted(kinds.items())))


def measured_again(row: Measurement) -> str:
    """Return the command that makes the number of one measurement again, by its own plan.

    Args:
        row: A measurement that stands on a page.
    """
    return f"rnn-harness bench {_arguments(row)}{_OPTIONS.get(row.plan, '')}"


def _arguments(row: Measurement) -> str:
    """Return what is measured, and of which families, specs or cells."""
    family = row.spec.partition(".")[0]
    match row:
        case SpeedMeasurement():
            options = "" if row.dtype in ("", "float32") else f" --dtype {row.dtype}"
            options += "" if row.device == "cpu" else f" --device {row.device}"
            # Cells with as many parameters as an LSTM are timed with the families, and not of a spec by itself.
            is_resized = family in FAMILIES and row.sizes.get("n") != row.sizes.get("d")
            return f"speed --families {family}{options}" if is_resized else f"speed --spec {row.spec}{options}"
        case DecayMeasurement():
            if row.initialisation == BY_CONSTRUCTOR:
                return f"decay --cell {shlex.quote(row.subject)}"
            if row.initialisation == BY_EQUATIONS:
                return f"decay --spec {shlex.quote(_typed(row, 'decay of ', ', by its equations'))}"
            return f"decay --families {family}"
        case LearningMeasurement():
            learner = row.subject.partition(", ")[0]
            is_ours = learner in {known.torch_class for known in FAMILIES.values()}
            return f"learning --families {family}" if is_ours else f"learning --cell {shlex.quote(learner)}"
        case ParameterCount():
            is_alone = row.job not in ("", _EVERY_SPEC)
            return f"parameters --spec {shlex.quote(_typed(row, 'parameters of '))}" if is_alone else "parameters"
        case UnrolledMeasurement():
            return f"unrolled --families {family}"
        case FailedBenchmark():
            return row.job_kind


def _typed(row: Measurement, before: str, behind: str = "") -> str:
    """Return a spec's name or file as it was typed, which the title of its job holds; else the spec's id."""
    name = row.job.removeprefix(before).removesuffix(behind)
    return name if row.job == f"{before}{name}{behind}" else row.spec
