"""What an automatic check finds in the print of an entry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PrintFinding:
    """`kind` is what an erratum declares; `correction` the computed right text or numbers, where there is one."""

    entry: str
    kind: str
    message: str
    correction: str = ""
    column: int = 0
