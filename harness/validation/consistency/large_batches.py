"""Faults that begin above some number of rows: every row of a large batch against the same row in a small one."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.errors import NotRun
from rnn_harness.validation.cells.row_exchange import ORDER_OF_ROWS, exchange_in_words, exchanged_rows
from rnn_harness.validation.consistency.budget import Budget
from rnn_harness.validation.consistency.consistency_property import Violation, needs_rows, relative_gap
from rnn_harness.validation.consistency.driven_cell import CellArguments, CellRun, DrivenCell

BATCHES = (17, 33, 65, 130, 257, 513, 1024)
"""Numbers of rows: beyond the powers of two at which libraries take another path, and one of them."""
STEPS = 2


def violation_of_large_batches(
    cell: DrivenCell, seed: int, budget: Budget, small: int, batches: tuple[int, ...] = BATCHES
) -> Violation | None:
    """Compare rows of large batches with the same rows in small ones.

    Args:
        cell: The cell; it must take a batch of any size.
        seed: The seed of the numbers.
        budget: How long it may take.
        small: The number of rows of a small batch.
        batches: The numbers of rows of large ones.

    Raises:
        NotRun: It takes one row at a time, exists for fixed sizes, or takes too long for the smallest of the batches.
    """
    needs_rows(cell)
    arguments = cell.arguments(STEPS, batches[-1], seed)
    start = time.process_time()
    cell.run(arguments.rows(range(small)))
    seconds = time.process_time() - start
    reached = [rows for rows in batches if 2 * seconds * rows / small < budget.remaining]
    if not reached:
        budget.require(float("inf"), f"batches of {batches[0]} rows")
    small_batches = [cell.run(arguments.rows(rows)) for rows in _groups(reached[-1], small)]
    expected = CellRun(
        *(_joined([run.outputs for run in small_batches], 1), _joined([run.finals for run in small_batches], 0))
    )
    wrong = next((rows for rows in reached if _wrong_rows(cell, arguments, expected, rows)), None)
    if wrong is None:
        if reached[-1] < batches[-1]:
            raise NotRun(f"right up to {reached[-1]} rows; not reached within {budget.seconds:g} s: {batches[-1]} rows")
        return None
    right = max((rows for rows in reached if rows < wrong), default=small)
    while wrong - right > 1:
        middle = (wrong + right) // 2
        if _wrong_rows(cell, arguments, expected, middle):
            wrong = middle
        else:
            right = middle
    if places := _exchanged(cell, arguments, expected, wrong):
        return Violation(ORDER_OF_ROWS, f"in a batch of {wrong}, {exchange_in_words(places)}")
    rows = _wrong_rows(cell, arguments, expected, wrong)
    affected = f"{len(rows)} of {wrong} rows differ (row {rows[0] + 1} is the first)"
    sentence = f"batches of more than {wrong - 1} rows are wrong: {affected} from the same row in a batch of {small}"
    return Violation("forward: large batches", sentence)


def _groups(rows: int, small: int) -> list[list[int]]:
    """Divide rows into batches of a few; the last rows of a batch that cannot be filled are taken once more."""
    return [[min(row, rows - 1) for row in range(start, start + small)] for start in range(0, rows, small)]


def _joined(parts: Sequence[tuple[torch.Tensor, ...]], axis: int) -> tuple[torch.Tensor, ...]:
    return tuple(torch.cat(tensors, axis) for tensors in zip(*parts, strict=True))


def _wrong_rows(cell: DrivenCell, arguments: CellArguments, expected: CellRun, rows: int) -> list[int]:
    """List the rows of a batch of that many that differ."""
    computed = cell.run(arguments.rows(range(rows)))
    wrong: set[int] = set()
    for values, axis in (
        (zip(computed.outputs, expected.outputs, strict=True), 1),
        (zip(computed.finals, expected.finals, strict=True), 0),
    ):
        for a, b in values:
            narrow = b.narrow(axis, 0, rows)
            if relative_gap(a, narrow) > STRUCTURAL[cell.arithmetic]:
                wrong |= _differing(a.transpose(0, axis), narrow.transpose(0, axis), cell.arithmetic)
    return sorted(wrong)


def _exchanged(cell: DrivenCell, arguments: CellArguments, expected: CellRun, rows: int) -> list[int]:
    """Which row each row of a large batch is, where its rows are right but for their order."""
    computed = cell.run(arguments.rows(range(rows)))
    tensors = [(a.transpose(0, 1), b.transpose(0, 1)) for a, b in zip(computed.outputs, expected.outputs, strict=True)]
    tensors += list(zip(computed.finals, expected.finals, strict=True))
    places = [exchanged_rows(a, b[:rows], STRUCTURAL[cell.arithmetic]) for a, b in tensors]
    return places[0] if places and all(place == places[0] for place in places) else []


def _differing(first: torch.Tensor, second: torch.Tensor, dtype: str) -> set[int]:
    """List the entries of the first axis that differ; all of them where the shapes do."""
    if first.shape != second.shape:
        return set(range(len(second)))
    scale = float(second.abs().max())
    gap = (first - second).abs().flatten(1).amax(1)
    return {int(i) for i in torch.nonzero(~(gap <= STRUCTURAL[dtype] * scale)).flatten()}
