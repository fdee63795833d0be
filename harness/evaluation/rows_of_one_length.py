"""The rows of a batch by their lengths: each is evaluated over its own steps, which is what a length means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnn_harness.arithmetic import Values
from rnn_harness.arithmetic.array_ball_values import ArrayBall, stacked
from rnn_harness.arithmetic.array_operations import NUMPY, ArrayOperations
from rnn_harness.array_types import IndexArray
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.subjects.case_arrays import CaseArrays


@dataclass(frozen=True)
class RowsOfOneLength:
    """Rows of a batch that have the same number of steps.

    Attributes:
        rows: Their places in the batch; a slice for all of them.
        length: The number of steps.
    """

    rows: IndexArray | slice
    length: int

    @property
    def is_whole_batch(self) -> bool:
        """Whether these are all rows."""
        return isinstance(self.rows, slice)

    def values(self, evaluation: Evaluation) -> Values:
        """Give the numbers of these rows, under the spec's names.

        Args:
            evaluation: A subject on a case.
        """
        arrays = evaluation.arrays
        states = {name: value[self.rows] for name, value in arrays.states.items()}
        inputs = arrays.inputs[: self.length, self.rows]
        return evaluation.subject.values(arrays.parameters, inputs, states, evaluation.case.sizes)


def rows_by_length(arrays: CaseArrays) -> tuple[RowsOfOneLength, ...]:
    """Give the rows of each length.

    Args:
        arrays: The numbers of a case, with or without lengths.
    """
    if arrays.lengths is None:
        return (RowsOfOneLength(slice(None), len(arrays.inputs)),)
    lengths = np.unique(arrays.lengths)
    return tuple(RowsOfOneLength(np.flatnonzero(arrays.lengths == length), int(length)) for length in lengths)


def joined_steps(
    shape: tuple[int, ...],
    groups: Sequence[RowsOfOneLength],
    steps: Sequence[Sequence[ArrayBall]],
    operations: ArrayOperations = NUMPY,
) -> ArrayBall:
    """Join the values of all rows at all steps; past a row's length they are zero, and exact.

    Args:
        shape: (T, B, .).
        groups: The rows of each length.
        steps: For each group the values of its steps, (rows, .) each; fewer than its length stand for zeros.
        operations: What the values were computed with.
    """
    if len(groups) == 1 and groups[0].is_whole_batch and steps[0]:
        return stacked(steps[0])
    middle, radius = operations.zeros(shape), operations.zeros(shape)
    for group, values in zip(groups, steps, strict=True):
        for t, value in enumerate(values):
            middle[t, group.rows], radius[t, group.rows] = value.middle, value.radius
    return ArrayBall(middle, radius)


def joined_rows(
    groups: Sequence[RowsOfOneLength], values: Sequence[ArrayBall], operations: ArrayOperations = NUMPY
) -> ArrayBall:
    """Join values that every row has once.

    Args:
        groups: The rows of each length.
        values: Those of each group, (rows, .) each.
        operations: What the values were computed with.
    """
    if len(groups) == 1 and groups[0].is_whole_batch:
        return values[0]
    shape = (sum(value.shape[0] for value in values), *values[0].shape[1:])
    middle, radius = operations.zeros(shape), operations.zeros(shape)
    for group, value in zip(groups, values, strict=True):
        middle[group.rows], radius[group.rows] = value.middle, value.radius
    return ArrayBall(middle, radius)
