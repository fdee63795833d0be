"""The kill matrix on the page: wrong references, and which check refuted each after how many cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class KillRow:
    """`cells`: cases until a check of that column refuted it, None where it did not."""

    mutant: str
    part: str
    edit: str
    cells: tuple[int | None, ...]
    killed: bool


def kill_rows(fates: Sequence[Mapping[str, Any]]) -> list[KillRow]:
    """`fates`: the rows of ``rnn-harness mutants --json``."""
    rows = []
    for one in fates:
        soonest: dict[str, int] = {}
        for kill in one["kills"]:
            group, _, name = kill["check"].partition(".")
            column = group if group == "metamorphic" else name
            soonest[column] = min(soonest.get(column, kill["examples"]), kill["examples"])
        cells = tuple(soonest.get(name) for name in COLUMNS)
        rows.append(KillRow(one["mutant"], one["part"], one["edit"], cells, bool(one["killed"])))
    return rows
