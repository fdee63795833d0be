"""What stands on the page, computed from records and measurements alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnn_harness.families import FAMILIES
from rnn_harness.records.measurement import (
    DecayMeasurement,
    LearningMeasurement,
    Measurement,
    ParameterCount,
    SpeedMeasurement,
)
from rnn_harness.reports.page.claims import ClaimRow, judged
from rnn_harness.reports.page.errata import ContradictionRow, ErratumRow, Known, contradicted, errata
from rnn_harness.reports.page.kill_matrix import KillRow, kill_rows
from rnn_harness.reports.summary import WITNESSES, summarise, totals


@dataclass(frozen=True)
class Printed:
    """An entry as a document prints it. `reading`: what is computed in its place, empty if it is the print. `plain`:
    it is a program or a table, and no formula.
    """

    document: str
    line: int
    title: str
    printed: str
    reading: str = ""
    errata: tuple[tuple[str, str], ...] = ()
    plain: bool = False


@dataclass(frozen=True)
class DocumentStatements:
    """What the documents say: equations by id, claims, errata outside of equations, contradictions, and the
    equivalences of the specs.
    """

    printed: Mapping[str, Printed] = field(default_factory=dict)
    claims: Sequence[Any] = ()
    misprints: Sequence[Any] = ()
    contradictions: Sequence[Any] = ()
    equivalences: Sequence[Any] = ()


@dataclass(frozen=True)
class EquationRow:
    """One equation with what every witness said."""

    id: str
    spec: str
    printed: Printed
    outcome: str
    witnesses: Mapping[str, str]
    error_over_bound: float


@dataclass(frozen=True)
class FamilyRow:
    """The answer on the first screen; empty texts where nothing was measured."""

    name: str
    parameters: str = ""
    equal_size: str = ""
    equal_count: str = ""
    rate: str = ""
    horizon: str = ""
    best: str = ""
    learnt: str = ""


@dataclass
class Contents:
    """All of it. `notes`: what is missing, and how to get it."""

    equations: list[EquationRow] = field(default_factory=list)
    families: list[FamilyRow] = field(default_factory=list)
    decay: list[DecayMeasurement] = field(default_factory=list)
    speed: dict[str, list[SpeedMeasurement]] = field(default_factory=dict)
    parameters: list[ParameterCount] = field(default_factory=list)
    learning: dict[str, list[LearningMeasurement]] = field(default_factory=dict)
    kernels: list[dict[str, Any]] = field(default_factory=list)
    validations: list[Any] = field(default_factory=list)
    claims: list[ClaimRow] = field(default_factory=list)
    errata: list[ErratumRow] = field(default_factory=list)
    contradictions: list[ContradictionRow] = field(default_factory=list)
    kills: list[KillRow] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    environments: list[str] = field(default_factory=list)
    machines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def contents(
    records: Sequence[Any],
    said: DocumentStatements,
    measured: Sequence[Measurement],
    validations: Sequence[Any] = (),
    fates: Sequence[Mapping[str, Any]] = (),
) -> Contents:
    """Put together. `records`: of verify, of kernels, and of the cells if they shall stand among the kernels; `fates`:
    rows of ``mutants --json``.
    """
    known = {one.key for one in records}
    own = [one for cell in validations for one in cell.checks if one.key not in known]
    made = Contents(totals=totals([*records, *own]), validations=list(validations))
    made.equations = _equations([one for one in records if not one.kernel], said.printed)
    made.kernels = _kernels([one for one in records if one.kernel and one.dtype])
    made.decay = [row for row in measured if isinstance(row, DecayMeasurement) and row.agrees is not False]
    made.parameters = [row for row in measured if isinstance(row, ParameterCount)]
    for row in measured:
        if isinstance(row, SpeedMeasurement) and row.agrees is not False and row.median is not None:
            sizes = ", ".join(f"{name} = {size}" for name, size in row.sizes.items())
            device = "" if row.device == "cpu" else f", on {row.device}"
            made.speed.setdefault(f"{row.spec}, {sizes}, {row.dtype}{device}", []).append(row)
        if isinstance(row, LearningMeasurement):
            title = f"{row.task_title}, T = {row.sizes['T']}, {row.training_steps} steps of training"
            made.learning.setdefault(title, []).append(row)
    made.families = [_family(family.torch_class, family.spec, made, measured) for family in FAMILIES.values()]
    made.environments = sorted({one.environment for one in (*records, *measured, *validations) if one.environment})
    made.machines = sorted({one.machine for one in measured if one.machine})
    made.claims = judged(said.claims, records, measured)
    evidence = Known(records, made.claims)
    made.errata = errata(said.printed, said.misprints, said.contradictions, evidence)
    made.contradictions = contradicted(said.contradictions, said.equivalences, evidence)
    made.kills = kill_rows(fates)
    made.notes = [*_wrong(measured), *_missing(made)]
    return made


def _equations(records: Sequence[Any], printed: Mapping[str, Printed]) -> list[EquationRow]:
    found = []
    for (spec, entry), row in summarise(records).items():
        if entry in printed:
            said = {name: row.outcomes.get(name, "not run") for name in WITNESSES}
            found.append(EquationRow(entry, spec, printed[entry], row.outcome, said, row.error_over_bound))
    return sorted(found, key=lambda row: (row.printed.document, row.printed.line, row.id))


def _kernels(records: Sequence[Any]) -> list[dict[str, Any]]:
    """A row a kernel, dtype and device: how many checks said what, and the bits."""
    places: dict[tuple[str, str, str], list[Any]] = {}
    for one in records:
        places.setdefault((one.kernel, one.dtype, one.device.split(" ")[0]), []).append(one)
    rows = []
    for (kernel, dtype, device), own in places.items():
        counts = totals(own)
        bits = {one.check: one.bits for one in own if one.bits is not None}
        row = {"kernel": kernel, "dtype": dtype, "device": device, **counts}
        rows.append(row | {"bits": bits.get("precision.format"), "long": bits.get("precision.long")})
    return rows


def _family(name: str, spec: str, made: Contents, measured: Sequence[Measurement]) -> FamilyRow:
    counted = next((one for one in made.parameters if one.subject == spec), None)
    timed = [row for row in measured if isinstance(row, SpeedMeasurement) and row.device == "cpu"]
    own = [row for row in timed if row.spec == spec and row.phase == "both" and row.agrees]
    at = {row.subject: row for row in made.decay if row.initialisation == "torch"}
    start = at.get(name)
    initials = [one for one in made.decay if one.subject == name and one.float32_horizon is not None]
    best = max(initials, key=lambda one: one.rate, default=None)
    solved = [text for rows in made.learning.values() if (text := _learnt(name, rows))]
    # Cells of as many parameters as an LSTM of n units have n inputs and another hidden size.
    width = max((one.sizes["n"] for one in timed if one.sizes["n"] != one.sizes["d"]), default=_least(timed))
    same = [one for one in own if one.sizes["n"] == one.sizes["d"] == width]
    even = [one for one in own if one.sizes["n"] == width != one.sizes["d"]] or (same if name == "LSTM" else [])
    return FamilyRow(
        name,
        counted.formula if counted is not None else "",
        _fastest(same),
        _fastest(even),
        f"{start.rate:.3f}" if start is not None else "",
        f"{start.float32_horizon:.0f} steps" if start is not None and start.float32_horizon is not None else "",
        f"{best.initialisation}: {best.float32_horizon:.0f} steps" if best is not None else "",
        ", ".join(solved),
    )


def _least(timed: Sequence[SpeedMeasurement]) -> int:
    return min((one.sizes["d"] for one in timed), default=0)


def _learnt(name: str, rows: Sequence[LearningMeasurement]) -> str:
    """How many seeds of a family solved a task, and in which way the most of them did; empty if it was not tried."""
    own = [one for one in rows if one.subject == name or one.subject.startswith(f"{name}, ")]
    best = max(own, key=lambda one: one.seeds_solved, default=None)
    if best is None:
        return ""
    way = best.subject.removeprefix(name).removeprefix(", ")
    told = f"{best.task} {best.seeds_solved} of {best.seeds}"
    return f"{told} ({way})" if way and best.seeds_solved else told


def _fastest(rows: Sequence[SpeedMeasurement]) -> str:
    times = [(row.median, row) for row in rows if row.median is not None]
    if not times:
        return ""
    seconds, fastest = min(times, key=lambda pair: pair[0])
    return f"{seconds * 1e3:.2f} ms ({fastest.subject}, d = {fastest.sizes['d']})"


def _wrong(measured: Sequence[Measurement]) -> list[str]:
    """What was measured and is not shown, since it is not right, or failed."""
    return [f"{one.subject}, {one.aspect}: not shown, {one.reason}" for one in measured if one.agrees is False]


def _missing(made: Contents) -> list[str]:
    wanted = {
        "No equation was decided: give the records of rnn-harness verify --records FILE.": made.equations,
        "No kernel was judged: give the records of rnn-harness verify --kernels --records FILE.": made.kernels,
        "Nothing was measured: give those of rnn-harness bench --records FILE.": made.decay or made.speed,
        "Learning was not measured: rnn-harness bench learning --records FILE.": made.learning,
        "No wrong reference was judged: give what rnn-harness mutants --json > FILE writes.": made.kills,
    }
    return [text for text, rows in wanted.items() if not rows]
