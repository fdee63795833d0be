"""Blocks of parameters that follow from the blocks in the same places are one line."""

from __future__ import annotations

import pytest

from rnn_harness.comparison.map_lines import whole_parameters
from rnn_harness.records.comparison import ComparedCell, Comparison, Counterexample


def _lines(pattern: str, pairs: list[tuple[int, int]]) -> list[str]:
    return [pattern.format(*pair) for pair in pairs]


@pytest.mark.parametrize(
    ("pattern", "pairs", "whole"),
    [
        ("w, block {} of 2  <-  v, block {} of 2", [(1, 1), (2, 2)], "w  <-  v"),
        ("w, block {0} of 2  <-  v, block {1} of 2 + u, block {1} of 2", [(1, 1), (2, 2)], "w  <-  v + u"),
        ("w, block {} of 2, transposed  <-  v, block {} of 2", [(1, 1), (2, 2)], "w, transposed  <-  v"),
        ("w, block {} of 2  <-  v, block {} of 2", [(1, 2), (2, 1)], ""),
        ("w, block {} of 3  <-  v, block {} of 3", [(1, 1), (2, 2)], ""),
        ("w, block {} of 2  <-  v, block {} of 2  (z = -z)", [(1, 1), (2, 2)], "w  <-  v  (z = -z)"),
        ("w, block {} of 2  <-  v, block {} of 2 (interleaved)", [(1, 1), (2, 2)], ""),
        ("w, block {} of 2  <-  v, block {} of 2, where it lies transposed", [(1, 1), (2, 2)], ""),
        ("w, block {} of 2  <-  v{}", [(1, 1), (2, 2)], ""),
        ("w, block {0} of 2  <-  v, block {0} of 2 + u{1}", [(1, 1), (2, 2)], ""),
    ],
    ids=[
        "in order",
        "sums",
        "the whole transposed",
        "exchanged",
        "one missing",
        "the same change",
        "interleaved",
        "blocks transposed",
        "of parameters of their own",
        "with a summand without blocks",
    ],
)
def test_only_what_is_a_whole_is_one_line(pattern: str, pairs: list[tuple[int, int]], whole: str) -> None:
    lines = _lines(pattern, pairs)
    assert whole_parameters(lines) == ((whole,) if whole else tuple(lines))


def test_numbers_on_which_cells_part_that_are_all_zero_are_said_to_be() -> None:
    cells = ComparedCell("A", "a cell"), ComparedCell("B", "another")
    for numbers, words in (
        ("sizes 1; ", "for sizes 1, and all numbers zero"),
        ("sizes 1; x = [[1.0]]", "; x = [[1.0]]"),
    ):
        text = str(Comparison("different", "they part", *cells, counterexample=Counterexample(numbers, "h[0]")))
        assert words in text
        assert "; \n" not in text
