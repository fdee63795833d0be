"""Rows of implementations that one file does not hold: the refuted ones first, the others in files beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from rnn_harness.reports.page.contents import Contents

ROWS_OF_A_PAGE = 300
"""At most so many rows has a table of a page: with all that stands behind their marks they take about 2 MB."""
Row = TypeVar("Row")


@dataclass(frozen=True)
class RowPage:
    """A file of the page.

    Attributes:
        name: The name of the file.
        contents: What stands in it; of the files after the first, rows of kernels, cells and checks alone.
        sentences: Which rows these are, by section; empty where there is one file alone.
        others: The names of the other files.
    """

    name: str
    contents: Contents
    sentences: dict[str, str]
    others: tuple[str, ...]


def row_pages(contents: Contents, most: int = ROWS_OF_A_PAGE) -> list[RowPage]:
    """Divide the page into files none of whose tables is longer than so many rows.

    Args:
        contents: The contents of the report.
        most: The most rows of a table.
    """
    matrix = contents.check_matrix
    longest = max(len(contents.kernels), len(contents.validations), len(matrix.rows))
    names = [_name(number) for number in range(1, max(1, -(-longest // most)) + 1)]
    if len(names) == 1:
        return [RowPage(names[0], contents, {}, ())]
    kernels = _refuted_first(contents.kernels, lambda row: row.refuted > 0)
    cells = _refuted_first(contents.validations, lambda row: row.outcome == "refuted")
    rows = _refuted_first(matrix.rows, lambda row: row.outcome == "refuted")
    pages = []
    for number, name in enumerate(names):
        part = slice(number * most, (number + 1) * most)
        shown = replace(
            contents,
            kernels=kernels[part],
            validations=cells[part],
            check_matrix=replace(matrix, rows=tuple(rows[part])),
        )
        if number:
            shown = replace(shown, kills=[], matrix=None)
        counts = {"kernels": len(kernels), "cells": len(cells), "checks": len(rows)}
        sentences = {
            section: f"Rows {part.start + 1:,} to {min(part.stop, count):,} of {count:,}, refuted ones first"
            for section, count in counts.items()
            if count > most
        }
        pages.append(RowPage(name, shown, sentences, tuple(beside for beside in names if beside != name)))
    return pages


def remove_pages_beyond(folder: Path, count: int) -> None:
    """Remove the files of a longer report that stood in a folder.

    Args:
        folder: The folder of the report.
        count: The number of files that the report has now.
    """
    for path in folder.glob("report-*.html"):
        number = re.fullmatch(r"report-([0-9]+)\.html", path.name)
        if number is not None and int(number[1]) > count:
            path.unlink()


def _name(number: int) -> str:
    """Return the name of a file, by its number from 1."""
    return "report.html" if number == 1 else f"report-{number}.html"


def _refuted_first(rows: Sequence[Row], is_refuted: Callable[[Row], bool]) -> list[Row]:
    """Return the rows with the refuted ones first, otherwise in their order."""
    return sorted(rows, key=lambda row: not is_refuted(row))
