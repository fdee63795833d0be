"""Rows of a batch that come back in another order than they went in, as after sorting by length."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

ORDER_OF_ROWS = "forward: order of the rows"
"""The part that is at fault where rows are exchanged."""


def exchanged_rows(computed: Tensor, expected: Tensor, tolerance: float) -> list[int]:
    """Say which row each row of a result is, where the rows are those that are expected in another order.

    Args:
        computed: The result, its rows along the first axis.
        expected: What it should be, of the same shape; rows that are alike say nothing.
        tolerance: By which share of the largest number equal rows may differ.

    Returns:
        For every row of the result, the number of the row that it is; empty where rows are lacking or none has moved.
    """
    if computed.shape != expected.shape or not computed.numel():
        return []
    rows = len(computed)
    allowed = tolerance * float(expected.abs().max())
    first, second = computed.reshape(rows, 1, -1), expected.reshape(1, rows, -1)
    is_equal = (first - second).abs().amax(2) <= allowed
    if not bool((is_equal.sum(0) == 1).all()) or not bool((is_equal.sum(1) == 1).all()):
        return []
    places: list[int] = is_equal.int().argmax(1).tolist()
    return places if places != list(range(rows)) else []


def exchange_in_words(places: list[int]) -> str:
    """Say in what order rows come back.

    Args:
        places: For every row of the result, the number of the row that it is, from 0, as `exchanged_rows` gives them.
    """
    moved = next(row for row, place in enumerate(places) if row != place)
    return (
        f"the rows of the batch are exchanged: row {moved + 1} of what comes back is that of row {places[moved] + 1} "
        "(a permutation that is not undone, or undone by itself in the place of its inverse)"
    )
