"""A finding of the automatic audit in the print of an entry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PrintFinding:
    """One thing that is wrong in a print.

    Attributes:
        entry: the id of the entry.
        category: the category that an erratum declares, such as ``shape``, ``unbalanced`` or ``arithmetic``.
        message: the finding in one sentence.
        correction: the computed right text or numbers, where there is one.
        column: the column at fault, from 1; 0 where it is not known.
    """

    entry: str
    category: str
    message: str
    correction: str = ""
    column: int = 0
