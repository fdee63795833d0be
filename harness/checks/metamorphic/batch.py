"""Rows of a batch do not depend on each other: M-01, M-02, M-03.

Every property takes the subject on the numbers of a case, and yields comparisons that must hold (see the package).
"""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.checks.metamorphic.cell_traits import everything
from rnn_harness.checks.metamorphic.comparison import Comparison, close, runs_close
from rnn_harness.checks.metamorphic.property import metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.subjects.case_arrays import CaseArrays


def rows_of(arrays: CaseArrays, rows: slice | np.ndarray[tuple[int], np.dtype[np.intp]]) -> CaseArrays:
    """Return only some rows of a batch, as contiguous arrays.

    Args:
        arrays: The arrays of a case; they are not changed.
        rows: A slice, or the numbers of rows, which may repeat.
    """
    return replace(
        arrays,
        inputs=np.ascontiguousarray(arrays.inputs[:, rows]),
        states={name: np.ascontiguousarray(value[rows]) for name, value in arrays.states.items()},
        d_outputs=np.ascontiguousarray(arrays.d_outputs[:, rows]),
        d_finals={name: np.ascontiguousarray(value[rows]) for name, value in arrays.d_finals.items()},
        lengths=None if arrays.lengths is None else arrays.lengths[rows],
    )


@metamorphic_property("batch-permutation", "M-01", "permuting the batch permutes the results", "rounding", everything)
def batch_permutation(original: SubjectRun) -> Iterator[Comparison]:
    """M-01: S(P X, P s) = P S(X, s).

    Args:
        original: Any subject on a case; with one row, B = 1, nothing is yielded.
    """
    batch = original.arrays.inputs.shape[1]
    if batch > 1:
        order = np.roll(np.arange(batch), 1)
        back = np.argsort(order)
        yield from runs_close(original, original.at(rows_of(original.arrays, order)), lambda value: value[:, back])


@metamorphic_property(
    "batch-splitting", "M-02", "a batch in two parts gives the same as the whole", "rounding", everything
)
def batch_splitting(original: SubjectRun) -> Iterator[Comparison]:
    """M-02: S([X1; X2]) = [S(X1); S(X2)], whatever the sizes of the parts.

    Args:
        original: Any subject on a case; with one row, B = 1, nothing is yielded.
    """
    batch = original.arrays.inputs.shape[1]
    for row in range(batch if batch > 1 else 0):
        rows = slice(row, row + 1)
        alone = original.at(rows_of(original.arrays, rows))
        yield close(
            f"outputs of row {row}",
            original.run.outputs[:, rows],
            alone.run.outputs,
            lambda: original.radii.outputs[:, rows],
            lambda: alone.radii.outputs,
        )
        for name, value in alone.run.finals.items():
            yield close(
                f"final {name} of row {row}",
                original.run.finals[name][rows],
                value,
                lambda: original.radii.finals[name][rows],
                lambda: alone.radii.finals[name],
            )


@metamorphic_property("equal-batch-rows", "M-03", "equal rows in, equal rows out", "rounding", everything)
def equal_batch_rows(original: SubjectRun) -> Iterator[Comparison]:
    """M-03: A batch of copies of one row gives copies of one result.

    Args:
        original: Any subject on a case; with one row, B = 1, nothing is yielded.
    """
    batch = original.arrays.inputs.shape[1]
    if batch > 1:
        copies = original.at(rows_of(original.arrays, np.zeros(batch, dtype=np.intp)))
        outputs = copies.run.outputs
        yield close("rows", outputs[:, 1:], outputs[:, :1], lambda: 2 * copies.radii.outputs[:, 1:])
