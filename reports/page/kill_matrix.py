"""The kill matrix on the page: wrong references, and which check refuted each after how many cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnn_harness.records.kill_matrix import MutantResult, Part

COLUMNS = (
    "equation",
    "outputs",
    "sequence",
    "screen",
    "blocks",
    "entries",
    "bound",
    "quotient",
    "autograd",
    "metamorphic",
)
"""Names of checks without their group, and the group of the metamorphic properties."""


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
            group, _, name = kill.check.partition(".")
            column = group if group == "metamorphic" else name
            fewest[column] = min(fewest.get(column, kill.examples), kill.examples)
        cells = tuple(fewest.get(column) for column in COLUMNS)
        rows.append(KillRow(result.mutant, result.part, result.edit, cells, result.killed))
    return rows
