"""What the records of judged targets say, as rows and cells of a table."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_harness.records.judged_target import JudgedTarget
from rnn_harness.records.matrix import PROPERTIES, Matrix, MatrixRow, Property, PropertyCell, property_of
from rnn_harness.records.record import Record
from rnn_harness.records.validation import SINGLE_INSIDE, Validation
from rnn_harness.records.validation_summary import MOST_BITS
from rnn_harness.records.verdict import Outcome

_FORMAT_CHECK = "precision.format"
"""The check whose record holds the effective precision in a dtype."""
FLOAT32_INSIDE = "takes float64 and computes in float32: its numbers of float64 have the precision of float32"
"""The note at the precision of such a target."""


def build_matrix(title: str, judged: Sequence[JudgedTarget], changes: Sequence[str] = ()) -> Matrix:
    """Build the table of a run.

    Args:
        title: What the suite is about.
        judged: The targets, in the order of the table.
        changes: What changed since the run before.
    """
    date = max((row.date for row in judged), default="")
    return Matrix(title=title, date=date, rows=tuple(map(matrix_row, judged)), changes=tuple(changes))


def matrix_row(judged: JudgedTarget) -> MatrixRow:
    """Build the row of a target.

    Args:
        judged: What came of it.
    """
    validation = judged.validation
    row = MatrixRow(
        name=judged.name,
        package=judged.package,
        version=judged.version,
        environment=judged.environment,
        target=judged.target,
        init=judged.init,
        ending=judged.ending,
        reason=judged.reason,
        review=judged.review,
        versions=judged.versions,
        date=judged.date,
        seconds=judged.seconds,
    )
    if validation is None:
        return row
    identification, example = validation.identification, validation.counterexample
    filled = {
        "computes": _computes(validation),
        "sentence": identification.sentence if identification is not None else "",
        "difference": validation.diagnosis.sentence() if validation.diagnosis is not None else "",
        "reason": _reason(validation),
        "cells": tuple(_with_note(_cell(name, validation.checks), validation) for name in PROPERTIES),
        "program": example.program if example is not None else "",
    }
    return row.model_copy(update=filled)


def _computes(validation: Validation) -> str:
    """Say in short what a target is."""
    if validation.model is not None:
        parts = dict.fromkeys(part.title for part in validation.model.parts)
        return f"a model of {', '.join(parts)}"
    identification = validation.identification
    if identification is None or not identification.sentence:
        return f"near {validation.diagnosis.spec}" if validation.diagnosis is not None else ""
    is_shipped = identification.spec not in ("", "candidate")
    return identification.spec if is_shipped else identification.sentence.partition(";")[0]


def _reason(validation: Validation) -> str:
    """Say why there is no verdict, or what is refuted where no diagnosis says it."""
    if validation.outcome == "agrees":
        return ""
    wanted = Outcome.REFUTED if validation.outcome == "refuted" else Outcome.NOT_RUN
    records = [record for record in validation.checks if record.outcome is wanted and not record.expected]
    deciding = [record for record in records if property_of(record.check) is None] or records
    first = next((record for record in deciding if record.reason), None)
    return f"{first.check}: {first.reason}" if first is not None else ""


def _cell(name: Property, checks: Sequence[Record]) -> PropertyCell:
    """Build a cell from the records of its property."""
    records = [record for record in checks if property_of(record.check) == name]
    refuted = [record for record in records if record.outcome is Outcome.REFUTED and not record.expected]
    agreeing = [record for record in records if record.outcome is Outcome.AGREES]
    bits = _bits(checks) if name == "precision" else {}
    cell = PropertyCell(property=name, outcome="not run", agreeing=len(agreeing), refuted=len(refuted), bits=bits)
    if refuted:
        shown = next((record for record in refuted if record.program), refuted[0])
        about = {"check": shown.check, "dtype": shown.dtype, "reason": shown.reason, "program": shown.program}
        return cell.model_copy(update={"outcome": "refuted", **about})
    if agreeing or bits:
        return cell.model_copy(update={"outcome": "agrees"})
    first = next((record for record in records if record.reason), None)
    if first is None:
        return cell
    return cell.model_copy(update={"check": first.check, "dtype": first.dtype, "reason": first.reason})


def _with_note(cell: PropertyCell, validation: Validation) -> PropertyCell:
    """Return a cell with the note that its numbers of float64 were computed in float32, if they were."""
    identification = validation.identification
    is_single = identification is not None and SINGLE_INSIDE in identification.sentence
    return cell.model_copy(update={"note": FLOAT32_INSIDE}) if is_single and "float64" in cell.bits else cell


def _bits(checks: Sequence[Record]) -> dict[str, float]:
    """Return the effective precision of a target by dtype."""
    return {
        record.dtype: round(min(record.bits, MOST_BITS), 1)
        for record in checks
        if record.check == _FORMAT_CHECK and record.bits is not None
    }
