"""Two models on rows of several lengths: what agrees on whole sequences may part where rows end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.comparison.model_description import ModelDescription, ModelOutputs, PaddedOutputs, PaddedRows
from rnn_harness.comparison.model_gaps import smallest_gap_of_rows
from rnn_harness.records.comparison import ComparisonOutcome
from rnn_harness.runtime.plain_array import PlainArray

FEWEST_STEPS = 7
"""The steps of the longest row, where no weight has an axis as long, so that no other axis is taken for time."""


@dataclass(frozen=True)
class PaddedFinding:
    """What two models are to each other on rows of several lengths.

    Attributes:
        outcome: The same, different, or undecided; None where they were not compared there.
        sentence: How they agree, why they were not compared, or where they part; empty where nothing is to be said.
    """

    outcome: ComparisonOutcome | None
    sentence: str


def draw_padded_rows(
    first_model: ModelDescription, second_model: ModelDescription, rows: int, seed: int
) -> PaddedRows | None:
    """Draw rows of falling lengths, past whose ends there are zeros, or the token that stands for padding.

    Args:
        first_model: The first model.
        second_model: The second model.
        rows: The number of rows.
        seed: Where the numbers start.

    Returns:
        The rows; None where the two have different tokens for padding.
    """
    if first_model.padding != second_model.padding:
        return None
    sizes = {size for model in (first_model, second_model) for shape in model.shapes.values() for size in shape} | {
        rows
    }
    steps = next(count for count in range(FEWEST_STEPS, FEWEST_STEPS + len(sizes) + 1) if count not in sizes)
    lengths = tuple(steps - row for row in range(rows))
    sequence = draw_sequence(first_model, second_model, (steps, rows), np.random.default_rng(seed)).array()
    for row, length in enumerate(lengths):
        sequence[length:, row] = first_model.padding if first_model.vocabulary else 0
    return PaddedRows(PlainArray.of(sequence), lengths)


def draw_sequence(
    first_model: ModelDescription, second_model: ModelDescription, grid: tuple[int, int], rng: np.random.Generator
) -> PlainArray:
    """Draw tokens that both models know, none of which is padding, or numbers that float32 holds.

    Args:
        first_model: The first model.
        second_model: The second model.
        grid: The numbers of steps and rows.
        rng: Draws them.

    Returns:
        Tokens (T, B) or numbers (T, B, n).
    """
    vocabulary = min(first_model.vocabulary, second_model.vocabulary)
    if vocabulary:
        tokens = [token for token in range(1, vocabulary) if token not in (first_model.padding, second_model.padding)]
        return PlainArray.of(rng.choice(tokens or [0], grid).astype(np.float64))
    numbers = rng.standard_normal((*grid, first_model.layers[0].input_size))
    return PlainArray.of(numbers.astype(np.float32).astype(np.float64))


def padded_finding(
    first_model: ModelDescription,
    second_model: ModelDescription,
    outputs: Sequence[tuple[ModelOutputs, ModelOutputs]],
    rows: Sequence[PaddedRows | None],
    dtype: str,
) -> PaddedFinding:
    """Compare what two models that agree on whole sequences gave for rows of several lengths.

    Args:
        first_model: The first model.
        second_model: The second model.
        outputs: What both gave, for every draw of weights.
        rows: The rows of every draw.
        dtype: The dtype in which they ran.
    """
    lengths = next((drawn.lengths for drawn in rows if drawn is not None), None)
    sides = [[side.padded for side in pair] for pair in outputs]
    first, second = sides[0]
    if lengths is None or first is None or second is None:
        return PaddedFinding(None, "")
    gaps = [smallest_gap_of_rows(*pair, lengths, STRUCTURAL[dtype]) for pair in outputs]
    known = [gap for gap in gaps if gap is not None]
    sentences = _lengths_in_words(first_model, first), _lengths_in_words(second_model, second)
    if len(known) < len(gaps):
        reasons = [words for words, side in zip(sentences, (first, second), strict=True) if side.argument]
        could_not = f"Rows of several lengths could not be compared ({'; '.join(reasons)})"
        return PaddedFinding(None, could_not if reasons else "")
    largest = max(known, key=lambda gap: gap.size)
    has_argument = bool(first.argument), bool(second.argument)
    words = "; ".join(sentences) if any(has_argument) else f"{_padding(first_model)} behind the shorter ones"
    if largest.size <= STRUCTURAL[dtype]:
        return PaddedFinding("same", f"Rows of several lengths give the same, too ({words})")
    apart = f"what they give is {largest.size:.2g} of the largest apart ({words})"
    if largest.row is not None:
        ends = f"row {largest.row}, which ends after {lengths[largest.row]} of {lengths[0]} steps"
        apart = f"what they give for {ends}, is {largest.size:.2g} of the largest apart ({words})"
    if has_argument[0] != has_argument[1]:
        return PaddedFinding(None, f"This holds of whole sequences; of rows of several lengths {apart}")
    if first.is_read_from_name or second.is_read_from_name:
        by_name = "that a mask is true where a step counts is read from its name"
        return PaddedFinding("undecided", f"whole sequences give the same, and of shorter rows {apart}; {by_name}")
    return PaddedFinding("different", f"whole sequences give the same, and rows of several lengths do not: {apart}")


def _lengths_in_words(model: ModelDescription, padded: PaddedOutputs) -> str:
    """Say by what a model is told where rows end."""
    if not padded.argument:
        return f"{model.target} takes no lengths"
    return f"{model.target} is told where rows end by {padded.argument}"


def _padding(model: ModelDescription) -> str:
    """Name what stands past the ends of rows."""
    return f"tokens {model.padding}" if model.vocabulary else "zeros"
