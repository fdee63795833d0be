"""What stands on the page, computed from records and measurements alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict, with_config

from rnn_harness.families import FAMILIES
from rnn_harness.records.kill_matrix import MutantResult
from rnn_harness.records.matrix import Matrix
from rnn_harness.records.measurement import (
    DecayMeasurement,
    LearningMeasurement,
    Measurement,
    ParameterCount,
    SpeedMeasurement,
    UnrolledMeasurement,
)
from rnn_harness.records.record import Record
from rnn_harness.records.validation import Validation
from rnn_harness.records.verdict import Outcome, Witness
from rnn_harness.reports.page.again import PagePlan, page_plan
from rnn_harness.reports.page.check_matrix import CheckMatrix, check_matrix
from rnn_harness.reports.page.claims import ClaimRow, decide_claims
from rnn_harness.reports.page.document_statements import DocumentStatements, PrintedEntry
from rnn_harness.reports.page.errata import ContradictionRow, ErratumRow, decide_contradictions, decide_errata
from rnn_harness.reports.page.evidence import Evidence
from rnn_harness.reports.page.family_rows import FamilyRow, family_row, learning_title
from rnn_harness.reports.page.kernel_rows import KernelRow, kernel_rows
from rnn_harness.reports.page.kill_matrix import KillRow, kill_rows
from rnn_harness.reports.page.page_origin import PageOrigin
from rnn_harness.reports.page.side_by_side import ComparedQuantity, compare_families
from rnn_harness.reports.summary import WITNESSES, count_outcomes, summarise_entries

REPORT_SCHEMA_VERSION: Literal[1] = 1
"""Version of the fields of `Contents`; it grows when one changes its meaning or goes."""


@with_config(ConfigDict(ser_json_inf_nan="strings"))
@dataclass(frozen=True)
class EquationRow:
    """An equation with what every witness says of it.

    Attributes:
        id: The permanent id.
        spec: The id of its spec.
        printed: The print, and what is computed.
        outcome: The gravest outcome of all witnesses.
        witnesses: The outcome by witness.
        error_over_bound: The largest error, divided by its bound.
        independent: How many witnesses agree that share nothing: the print, the reference, and the derivation, for
            which numeric, symbolic and torch speak together, since all three differentiate the same expression.
    """

    id: str
    spec: str
    printed: PrintedEntry
    outcome: Outcome
    witnesses: Mapping[Witness, Outcome]
    error_over_bound: float
    independent: int


@dataclass(frozen=True)
class Contents:
    """What stands on the page, and in report.json.

    Attributes:
        schema_version: The version of the fields.
        equations: The equations, by their places.
        families: The answer on the first screen.
        decay: The measurements of decay that are right.
        speed: The times of what is right, by the point of the grid in words.
        parameters: The numbers of parameters.
        learning: The measurements of learning, by the task in words.
        kernels: The kernels, by dtype and device.
        validations: The validated candidates.
        claims: The claims with their verdicts.
        errata: The errata with what decides them.
        contradictions: The contradictions with what resolves them.
        kills: The kill matrix.
        totals: The number of records of each outcome.
        environments: The versions of programs that made the records.
        machines: The machines that made the measurements.
        notes: What is not shown, and why.
        plan: The plan of the benchmark that the measurements are of.
        unrolled: Cells over one sentence, gate by gate.
        comparison: The families with equally many units, and with equally many parameters.
        check_matrix: Kernels and validated candidates against groups of checks.
        origin: When it was written, and of which commit.
        matrix: The table of implementations, if one was given.
        missing: What the page has no records of, and the commands that make them.
    """

    schema_version: Literal[1]
    equations: list[EquationRow]
    families: list[FamilyRow]
    decay: list[DecayMeasurement]
    speed: dict[str, list[SpeedMeasurement]]
    parameters: list[ParameterCount]
    learning: dict[str, list[LearningMeasurement]]
    kernels: list[KernelRow]
    validations: list[Validation]
    claims: list[ClaimRow]
    errata: list[ErratumRow]
    contradictions: list[ContradictionRow]
    kills: list[KillRow]
    totals: dict[Outcome, int]
    environments: list[str]
    machines: list[str]
    notes: list[str]
    plan: PagePlan
    unrolled: list[UnrolledMeasurement] = field(default_factory=list)
    comparison: list[ComparedQuantity] = field(default_factory=list)
    check_matrix: CheckMatrix = field(default_factory=lambda: CheckMatrix((), ()))
    origin: PageOrigin = field(default_factory=PageOrigin)
    matrix: Matrix | None = None
    missing: list[str] = field(default_factory=list)


def build_contents(
    records: Sequence[Record],
    statements: DocumentStatements,
    measurements: Sequence[Measurement],
    validations: Sequence[Validation] = (),
    mutants: Sequence[MutantResult] = (),
    matrix: Matrix | None = None,
    origin: PageOrigin | None = None,
) -> Contents:
    """Compute what stands on the page.

    Args:
        records: The records of equations and kernels, and those of candidates if they shall stand among the kernels.
        statements: What the documents say.
        measurements: Measurements of any kind, in any order.
        validations: The validated candidates.
        mutants: The kill matrix.
        matrix: The table of implementations, if there is one.
        origin: When the page is written, and of which commit; nothing is said of it where it is None.

    Returns:
        The contents, with notes on what is missing.
    """
    known = {record.key for record in records}
    of_candidates = [record for cell in validations for record in cell.checks if record.key not in known]
    plan = page_plan(measurements)
    claims = decide_claims(statements.claims, records, measurements, mutants)
    evidence = Evidence(records, {claim.id: claim.verdict for claim in claims})
    equations = _equation_rows([record for record in records if not record.kernel], statements.printed)
    kernels = kernel_rows([record for record in records if record.kernel and record.dtype])
    decay = [row for row in measurements if isinstance(row, DecayMeasurement) and row.agrees is not False]
    speed, learning = _speed_by_point(measurements), _learning_by_task(measurements)
    kills = kill_rows(mutants)
    missing = {
        "Equations were not checked: rnn-harness verify --records FILE, then report --from FILE.": not equations,
        "Kernels were not checked: rnn-harness verify --kernels --records FILE, then report --from FILE.": not kernels,
        "Nothing was measured: rnn-harness bench --records FILE, then report --from FILE.": not (decay or speed),
        "Learning was not measured: rnn-harness bench learning --records FILE, then report --from FILE.": not learning,
        "The mutation test was not run: rnn-harness mutants --json > FILE, then report --from FILE.": not kills,
    }
    environments = {source.environment for source in (*records, *measurements, *validations)}
    return Contents(
        schema_version=REPORT_SCHEMA_VERSION,
        equations=equations,
        families=[family_row(family, measurements) for family in FAMILIES.values()],
        decay=decay,
        speed=speed,
        parameters=[row for row in measurements if isinstance(row, ParameterCount)],
        learning=learning,
        unrolled=[row for row in measurements if isinstance(row, UnrolledMeasurement)],
        kernels=kernels,
        check_matrix=check_matrix(records, validations),
        validations=list(validations),
        claims=claims,
        errata=decide_errata(statements.printed, statements.misprints, statements.contradictions, evidence),
        contradictions=decide_contradictions(statements.contradictions, statements.equivalences, evidence),
        kills=kills,
        totals=count_outcomes([*records, *of_candidates]),
        environments=sorted(environments - {""}),
        machines=sorted({row.machine for row in measurements} - {""}),
        notes=[
            *filter(None, [plan.note]),
            *_wrong_measurements(measurements),
        ],
        missing=[text for text, is_missing in missing.items() if is_missing],
        plan=plan,
        comparison=compare_families(measurements),
        origin=origin or PageOrigin(),
        matrix=matrix,
    )


def _equation_rows(records: Sequence[Record], printed: Mapping[str, PrintedEntry]) -> list[EquationRow]:
    """Return a row for each entry that a document prints, by its place."""
    rows = [
        EquationRow(
            id=entry,
            spec=spec,
            printed=printed[entry],
            outcome=summary.outcome,
            witnesses={witness: summary.outcomes.get(witness, Outcome.NOT_RUN) for witness in WITNESSES},
            error_over_bound=summary.error_over_bound,
            independent=summary.independent_witnesses,
        )
        for (spec, entry), summary in summarise_entries(records).items()
        if entry in printed
    ]
    return sorted(rows, key=lambda row: (row.printed.document, row.printed.line, row.id))


def _speed_by_point(measurements: Sequence[Measurement]) -> dict[str, list[SpeedMeasurement]]:
    """Group the times of what is right by the point of the grid: spec, sizes, dtype and device."""
    points: dict[str, list[SpeedMeasurement]] = {}
    for row in measurements:
        if isinstance(row, SpeedMeasurement) and row.agrees is not False and row.median is not None:
            points.setdefault(_speed_point(row), []).append(row)
    return points


def _speed_point(row: SpeedMeasurement) -> str:
    """Return the point of the grid in words; of a family's cell also with how many parameters it was timed."""
    family = next((family.torch_class for family in FAMILIES.values() if family.spec == row.spec), "")
    name = f"{family} ({row.spec})" if family else row.spec
    sizes = ", ".join(f"{letter} = {size}" for letter, size in row.sizes.items())
    device = "" if row.device == "cpu" else f", on {row.device}"
    is_resized = bool(family) and row.sizes.get("n") != row.sizes.get("d")
    resized = f": as many parameters as an LSTM of {row.sizes['n']} units" if is_resized else ""
    return f"{name}, {sizes}, {row.dtype}{device}{resized}"


def _learning_by_task(measurements: Sequence[Measurement]) -> dict[str, list[LearningMeasurement]]:
    """Group the measurements of learning by task and conditions."""
    tasks: dict[str, list[LearningMeasurement]] = {}
    for row in measurements:
        if isinstance(row, LearningMeasurement):
            tasks.setdefault(learning_title(row), []).append(row)
    return tasks


def _wrong_measurements(measurements: Sequence[Measurement]) -> list[str]:
    """Say what was measured and is not shown, since it is not right, or failed."""
    return [f"{row.subject}, {row.aspect}: not shown, {row.reason}" for row in measurements if row.agrees is False]
