"""Implementations against checks: every kernel and validated cell, what each group of checks says, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, with_config

from rnn_harness.records.record import Record
from rnn_harness.records.validation import Validation
from rnn_harness.records.verdict import Outcome

CHECK_GROUPS = {
    "identification": "what it computes",
    "forward": "forward pass",
    "backward": "gradients",
    "precision": "precision",
    "scale": "realistic sizes",
    "metamorphic": "metamorphic properties",
    "consistency": "any recurrent cell",
    "behaviour": "runtime behaviour",
    "kernel": "kernel that ran",
    "numbers": "evaluated again",
    "model": "parts of a model",
    "wiring": "wiring of a model",
    "weights": "trained weights",
    "process": "process",
}
"""The columns: groups of checks by the first part of a check's name, as a reader calls them, in this order."""
_GRAVEST = (Outcome.REFUTED, Outcome.AGREES, Outcome.VACUOUS, Outcome.NOT_RUN)
"""Which outcome a mark shows, if the checks of a group end in several ways: the first of these."""
_MOST_DETAILS = 12
"""How many failing cases stand behind one mark; there may be hundreds of one mistake."""


@with_config(ConfigDict(ser_json_inf_nan="strings"))
@dataclass(frozen=True)
class MatrixDetail:
    """A check that did not agree, with the case that shows it.

    Attributes:
        check: The check's id, and the entry where it is about one.
        outcome: How it ended.
        reason: What is wrong, or why it was not run.
        case: The sizes and what is special of the case, in words; empty where there is none.
        error_over_bound: The largest error, divided by its bound; None where there is none.
        program: A program that shows it; empty where there is none.
    """

    check: str
    outcome: Outcome
    reason: str
    case: str
    error_over_bound: float | None
    program: str


@with_config(ConfigDict(ser_json_inf_nan="strings"))
@dataclass(frozen=True)
class MatrixCell:
    """What one group of checks says of one implementation.

    Attributes:
        group: The group, a key of `CHECK_GROUPS`.
        outcome: The gravest outcome of its checks; None where there is no record.
        agrees: How many checks agree.
        count: How many records there are.
        checks: The ids of the checks that agree.
        error_over_bound: The largest error of those that agree, divided by its bound; None where none has one.
        details: What did not agree, refuted ones first.
        omitted: How many more there are.
    """

    group: str
    outcome: Outcome | None
    agrees: int
    count: int
    checks: tuple[str, ...]
    error_over_bound: float | None
    details: tuple[MatrixDetail, ...]
    omitted: int


@with_config(ConfigDict(ser_json_inf_nan="strings"))
@dataclass(frozen=True)
class MatrixRow:
    """One implementation in one format on one device.

    Attributes:
        name: The kernel's id, or the cell as it was named.
        kind: Whether it is a kernel or a validated cell.
        spec: What it is compared with.
        dtype: The format of the numbers; empty for checks without one.
        device: The kind of device.
        outcome: The gravest outcome of its cells.
        cells: One for each group that the matrix has.
    """

    name: str
    kind: Literal["kernel", "cell"]
    spec: str
    dtype: str
    device: str
    outcome: Outcome
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True)
class CheckMatrix:
    """The matrix.

    Attributes:
        groups: Its columns, keys of `CHECK_GROUPS`.
        rows: Its rows, in the order of the records.
    """

    groups: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


def check_matrix(records: Sequence[Record], validations: Sequence[Validation]) -> CheckMatrix:
    """Return the matrix of kernels and validated cells.

    Args:
        records: Of any subjects; those of kernels count.
        validations: The validated cells; their records count, too.
    """
    targets = {validation.target for validation in validations}
    kernels = [record for record in records if record.kernel and record.kernel not in targets]
    of_cells = [record for validation in validations for record in validation.checks]
    settings: dict[tuple[Literal["kernel", "cell"], str, str, str], list[Record]] = {}
    for record in kernels:
        settings.setdefault(("kernel", record.kernel, record.dtype, record.device), []).append(record)
    for validation in validations:
        for record in validation.checks:
            settings.setdefault(("cell", validation.target, record.dtype, record.device), []).append(record)
    present = {_group(record) for record in (*kernels, *of_cells)}
    groups = (*(group for group in CHECK_GROUPS if group in present), *sorted(present - CHECK_GROUPS.keys()))
    rows = tuple(
        MatrixRow(
            name,
            kind,
            next((record.spec for record in there if record.spec), ""),
            dtype,
            device,
            _gravest(record.outcome for record in there) or Outcome.NOT_RUN,
            tuple(_cell(group, [record for record in there if _group(record) == group]) for group in groups),
        )
        for (kind, name, dtype, device), there in settings.items()
    )
    return CheckMatrix(groups, rows)


def _group(record: Record) -> str:
    """Return the first part of the name of a record's check."""
    return record.check.partition(".")[0]


def _gravest(outcomes: Iterable[Outcome]) -> Outcome | None:
    """Return the gravest of some outcomes; None where there is none."""
    known = set(outcomes)
    return next((outcome for outcome in _GRAVEST if outcome in known), None)


def _cell(group: str, records: Sequence[Record]) -> MatrixCell:
    """Return one mark with what stands behind it."""
    agreeing = [record for record in records if record.outcome is Outcome.AGREES]
    disagreeing = sorted(
        (record for record in records if record.outcome is not Outcome.AGREES),
        key=lambda record: _GRAVEST.index(record.outcome),
    )
    ratios = [record.error_over_bound for record in agreeing if record.error_over_bound is not None]
    return MatrixCell(
        group,
        _gravest(record.outcome for record in records),
        len(agreeing),
        len(records),
        tuple(dict.fromkeys(record.check for record in agreeing)),
        max(ratios, default=None),
        tuple(_detail(record) for record in disagreeing[:_MOST_DETAILS]),
        max(0, len(disagreeing) - _MOST_DETAILS),
    )


def _detail(record: Record) -> MatrixDetail:
    """Return a check that did not agree with its case."""
    about = f" of {record.entry}" if record.entry not in ("", record.spec) else ""
    return MatrixDetail(
        f"{record.check}{about}",
        record.outcome,
        record.reason,
        _case_text(record),
        record.error_over_bound,
        record.program,
    )


def _case_text(record: Record) -> str:
    """Write the sizes of a record's case and what is special about it; nothing where it has none."""
    case = record.case
    if case is None:
        return ""
    sizes = f"n = {case.n}, d = {case.d}, T = {case.T}, B = {case.B}, {case.dtype}, seed {case.seed}"
    lengths = f", lengths {', '.join(map(str, case.lengths))}" if case.lengths is not None else ""
    features = f", {', '.join(case.features)}" if case.features else ""
    return f"{sizes}{lengths}{features}"
