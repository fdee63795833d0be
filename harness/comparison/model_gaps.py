"""How far apart what two models give is, on whole sequences and on rows of several lengths.

Which axis is time is not known of every model: a sequence is given in both orders, and what agrees counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.comparison.model_description import ModelOutputs
from rnn_harness.runtime.plain_array import PlainArray

Order = Literal["time first", "rows first"]


@dataclass(frozen=True)
class RowGap:
    """Where what two models give for rows of several lengths is farthest apart.

    Attributes:
        size: The distance, relative to the largest number.
        row: The row; None where it belongs to no single row.
    """

    size: float
    row: int | None


def smallest_gap(left_side: ModelOutputs, right_side: ModelOutputs) -> float | None:
    """Return how far the first outputs are apart, relative to the largest; None where no two have one shape.

    Args:
        left_side: What the first model gave.
        right_side: What the second gave.
    """
    return min((gap for _, _, gap in _gaps_by_order(left_side, right_side)), default=None)


def smallest_gap_of_rows(
    left_side: ModelOutputs, right_side: ModelOutputs, lengths: tuple[int, ...], limit: float
) -> RowGap | None:
    """Return how far what two models give for rows of several lengths is apart, up to the end of each row.

    Args:
        left_side: What the first model gave.
        right_side: What the second gave.
        lengths: The lengths of the rows; the longest is the number of steps.
        limit: Orders of the axes in which the outputs for whole sequences are no farther apart count.

    Returns:
        The smallest of the gaps of these orders; None where no two outputs have one shape.
    """
    if left_side.padded is None or right_side.padded is None:
        return None
    gaps = []
    for first, second, gap in _gaps_by_order(left_side, right_side):
        expected, computed = left_side.padded.in_order(first), right_side.padded.in_order(second)
        if gap > limit or expected is None or computed is None or expected.shape != computed.shape:
            continue
        rows = [_of_rows(array.array(), order, lengths) for array, order in ((expected, first), (computed, second))]
        if len(rows[0]) == len(rows[1]):
            gaps.append(_largest_of_rows(*rows))
    return min(gaps, key=lambda gap: gap.size, default=None)


def _gaps_by_order(left_side: ModelOutputs, right_side: ModelOutputs) -> Iterator[tuple[Order, Order, float]]:
    """Yield the gap of every two orders in which the outputs have one shape."""
    for first, expected in _in_orders(left_side):
        for second, computed in _in_orders(right_side):
            if expected.shape == computed.shape:
                yield first, second, _gap(expected.array(), computed.array(), _scale(expected.array()))


def _in_orders(outputs: ModelOutputs) -> Iterator[tuple[Order, PlainArray]]:
    if outputs.time_first is not None:
        yield "time first", outputs.time_first
    if outputs.rows_first is not None:
        yield "rows first", outputs.rows_first


def _scale(expected: Array) -> float:
    return float(np.max(np.abs(expected), initial=0.0)) or 1.0


def _gap(expected: Array, computed: Array, scale: float) -> float:
    """Return the largest distance; infinite where it is no number, so that nothing is taken for equal there."""
    largest = float(np.max(np.abs(computed - expected), initial=0.0)) / scale
    return largest if np.isfinite(largest) else np.inf


def _of_rows(outputs: Array, order: Order, lengths: tuple[int, ...]) -> list[Array]:
    """Cut outputs into those of every row, up to its end; one of all where there is no axis of rows."""
    rows, steps = len(lengths), max(lengths)
    if outputs.ndim > 1 and outputs.shape[:2] == (steps, rows):
        return [outputs[:length, row] for row, length in enumerate(lengths)]
    # The first two axes of what came for (B, T, n) were exchanged: of final states rows come second there.
    axes = range(outputs.ndim) if order == "time first" else reversed(range(outputs.ndim))
    axis = next((axis for axis in axes if outputs.shape[axis] == rows), None)
    return [outputs] if axis is None else [np.take(outputs, row, axis) for row in range(rows)]


def _largest_of_rows(expected: list[Array], computed: list[Array]) -> RowGap:
    """Return the largest gap of all rows, and the row that has it."""
    scale = max(_scale(row) for row in expected)
    gaps = [_gap(first, second, scale) for first, second in zip(expected, computed, strict=True)]
    row = int(np.argmax(gaps))
    return RowGap(gaps[row], row if len(gaps) > 1 else None)
