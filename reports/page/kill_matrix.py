"""The kill matrix on the page: wrong references, and which check refuted each after how many cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnn_harness.records.kill_matrix import MutantResult, Part
from rnn_harness.reports.page.glossary import CHECKS_OF_MUTANTS

COLUMNS = (*CHECKS_OF_MUTANTS, "metamorphic")
"""Names of checks, and the group of the metamorphic properties."""


@dataclass(frozen=True)
class KillRow:
    """A mutant's row.

    Attributes:
        mutant: The mutant's name.
        part: The part of the reference where the fault is.
        edit: The edit of the reference's source.
        cells: The number of cases until a check of each of `COLUMNS` refuted it; None where none did.
        killed: Whether a check refuted it.
    """

    mutant: str
    part: Part
    edit: str
    cells: tuple[int | None, ...]
    killed: bool


def kill_rows(results: Sequence[MutantResult]) -> list[KillRow]:
    """Return a row for each result, in their order.

    Args:
        results: One for each mutant.
    """
    rows = []
    for result in results:
        fewest: dict[str, int] = {}
        for kill in result.kills:
            column = "metamorphic" if kill.check.startswith("metamorphic.") else kill.check
            fewest[column] = min(fewest.get(column, kill.examples), kill.examples)
        cells = tuple(fewest.get(column) for column in COLUMNS)
        rows.append(KillRow(result.mutant, result.part, result.edit, cells, result.killed))
    return rows
