"""What is wrong with validated cells, each with the file and the line where the cell is written."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from rnn_harness.testing.source_place import source_place

if TYPE_CHECKING:
    from rnn_harness.records.validation import Validation
    from rnn_harness.reports.findings import Finding


def placed_findings(validations: Sequence[Validation]) -> list[Finding]:
    """List what is wrong with cells, or keeps them from being decided.

    Args:
        validations: What was decided of each.
    """
    from rnn_harness.reports.findings import findings_of

    findings: list[Finding] = []
    for validation in validations:
        place = source_place(validation.target)
        findings += findings_of(validation, *((place.path, place.line) if place is not None else ()))
    return findings


def findings_as_sarif(findings: Sequence[Finding]) -> str:
    """Write findings as a SARIF log of this version of the program.

    Args:
        findings: What is wrong.
    """
    from rnn_harness.reports.findings import sarif_text

    return sarif_text(findings, version("rnn-harness"))
