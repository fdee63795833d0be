"""Two layers on rows of several lengths: what each gave is held against the rows alone, by its equations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.array_types import Array
from rnn_harness.comparison.padded_cell import PaddedCellOutputs


@dataclass(frozen=True)
class LayerOnRows:
    """One layer on rows of several lengths.

    Attributes:
        target: Its name.
        padded: What it gave.
        bounds: What its equations give for the rows as whole ones, (T, B, d).
        state: Its equations' name of the state that is its output.
    """

    target: str
    padded: PaddedCellOutputs
    bounds: ArrayBall
    state: str

    @property
    def given_by(self) -> str:
        """By what it is given the lengths, in words."""
        return f"{self.target}: {self.padded.argument}" if self.padded.argument else f"{self.target} takes none"


@dataclass(frozen=True)
class RowsFinding:
    """What two layers are to each other on rows of several lengths.

    Attributes:
        is_apart: Whether both take lengths, and they give something else.
        sentence: Where, or how they agree; empty where neither takes lengths.
    """

    is_apart: bool
    sentence: str


@dataclass(frozen=True)
class _Part:
    """The numbers of one row.

    Attributes:
        row: The row.
        words: What of it they are.
        numbers: What two layers gave for it.
    """

    row: int
    words: str
    numbers: tuple[Array, Array]


def compare_on_rows(
    left_side: LayerOnRows, right_side: LayerOnRows, lengths: tuple[int, ...], dtype: str
) -> RowsFinding:
    """Compare what two layers that are the same function of whole sequences gave for shorter rows.

    Args:
        left_side: The first.
        right_side: The second.
        lengths: The lengths of the rows.
        dtype: The dtype in which they ran.
    """
    given_by = f"{left_side.given_by}; {right_side.given_by}"
    if not left_side.padded.argument or not right_side.padded.argument:
        if not left_side.padded.argument and not right_side.padded.argument:
            return RowsFinding(False, "")
        return RowsFinding(False, f"Rows of several lengths are not compared ({given_by})")
    parts = [
        part
        for part in _parts(left_side.padded, right_side.padded, lengths)
        if part.numbers[0].shape == part.numbers[1].shape
    ]
    if not parts:
        return RowsFinding(False, f"Of rows of several lengths they give nothing that can be compared ({given_by})")
    scale = max(float(np.max(np.abs(part.numbers[0]), initial=0.0)) for part in parts) or 1.0
    gaps = [_gap(*part.numbers) / scale for part in parts]
    largest = int(np.argmax(gaps))
    if gaps[largest] <= STRUCTURAL[dtype]:
        return RowsFinding(False, f"Rows of several lengths give the same, too ({given_by})")
    part = parts[largest]
    wrong = [side.target for side in (left_side, right_side) if not _are_rows_alone(side, lengths)]
    sentence = (
        f"of rows of several lengths they give something else ({given_by}): {part.words} of row {part.row}, which ends "
    )
    sentence += f"after {lengths[part.row]} of {lengths[0]} steps, is {gaps[largest]:.2g} of the largest apart"
    blame = f"; {' and '.join(wrong)} gives not what the rows give alone" if wrong else ""
    return RowsFinding(True, sentence + blame)


def _parts(first: PaddedCellOutputs, second: PaddedCellOutputs, lengths: tuple[int, ...]) -> Iterator[_Part]:
    """Yield what two layers gave for every row: the outputs up to its end, and the final states."""
    for row, length in enumerate(lengths):
        if first.outputs is not None and second.outputs is not None:
            numbers = first.outputs.array()[:length, row], second.outputs.array()[:length, row]
            yield _Part(row, "an output", numbers)
        for name in first.finals.keys() & second.finals.keys():
            states = first.finals[name].array(), second.finals[name].array()
            yield _Part(row, f"the final state {name}", (states[0][row], states[1][row]))


def _gap(first: Array, second: Array) -> float:
    """Return the largest distance; infinite where it is no number."""
    gap = float(np.max(np.abs(first - second), initial=0.0))
    return gap if np.isfinite(gap) else np.inf


def _are_rows_alone(side: LayerOnRows, lengths: tuple[int, ...]) -> bool:
    """Whether the outputs up to the ends of the rows, and the final output, lie within the bounds of the rows alone."""
    for row, length in enumerate(lengths):
        middle, radius = (
            side.bounds.middle[:length, row],
            np.broadcast_to(side.bounds.radius, side.bounds.shape)[:length, row],
        )
        outputs, final = side.padded.outputs, side.padded.finals.get(side.state)
        if outputs is not None and not bool((np.abs(outputs.array()[:length, row] - middle) <= radius).all()):
            return False
        if final is not None and not bool((np.abs(final.array()[row] - middle[-1]) <= radius[-1]).all()):
            return False
    return True
