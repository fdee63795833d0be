"""Data around sequences: one-hot codes, windows, batches of a stateful network, a split across time.

Sources: 000:235 and 001:99 (one-hot), 003:437 (split), 003:504-521 (windows, stateless and stateful).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Inexact, Integer, Shaped
from numpy.typing import DTypeLike

from rnn_harness.references.arguments import ArgumentError
from rnn_harness.references.array_types import Array, IndexArray


def one_hot(
    indices: Integer[IndexArray, "*shape"], size: int, dtype: DTypeLike = np.float64
) -> Inexact[Array, "*shape size"]:
    """Encode every index as a vector with a single 1.

    Args:
        indices: numbers of classes, 0..size-1.
        size: the number of classes.
        dtype: the dtype of the vectors.

    Returns:
        One vector for each index.

    Raises:
        ArgumentError: on indices that are no whole numbers within 0..size-1.
    """
    indices = np.asarray(indices)
    if indices.dtype.kind not in "iu":
        raise ArgumentError(f"indices have dtype {indices.dtype}, expected whole numbers")
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise ArgumentError(f"indices reach from {indices.min()} to {indices.max()}, expected 0..{size - 1}")
    return np.eye(size, dtype=dtype)[indices]


def windows(
    series: Shaped[Array, T * sample], width: int, shift: int = 1, offset: int = 1
) -> tuple[Shaped[Array, "N width *sample"], Shaped[Array, "N width *sample"]]:
    """Cut a series into windows of consecutive samples, and the targets that belong to them (003:504).

    Args:
        series: the samples in the order of time.
        width: the number of samples of a window.
        shift: from the start of one window to the start of the next.
        offset: how much later than its inputs a target begins.

    Returns:
        (inputs, targets); N = (T - width - offset) // shift + 1.

    Raises:
        ArgumentError: if no window fits, or a number is not positive.
    """
    if min(width, shift, offset) < 1:
        raise ArgumentError(f"width {width}, shift {shift} and offset {offset} must be at least 1")
    last = len(series) - width - offset
    if last < 0:
        raise ArgumentError(f"a series of {len(series)} holds no window of {width} with offset {offset}")
    starts = range(0, last + 1, shift)
    inputs = np.stack([series[start : start + width] for start in starts])
    targets = np.stack([series[start + offset : start + offset + width] for start in starts])
    return inputs, targets


def stateful_batches(
    series: Shaped[Array, T * sample], batch: int, width: int
) -> Iterator[tuple[Shaped[Array, "width batch *sample"], Shaped[Array, "width batch *sample"]]]:
    """Cut a series into batches for a stateful network: sequential, not overlapping (003:518).

    Row b of a batch goes on where row b of the batch before ended.

    Args:
        series: the samples in the order of time.
        batch: the number of rows of a batch.
        width: the number of steps of a batch.

    Yields:
        (inputs, targets), time first; the targets are one step ahead.

    Raises:
        ArgumentError: if the series is too short.
    """
    length = (len(series) - 1) // batch if batch > 0 else 0
    if batch < 1 or width < 1 or length < width:
        raise ArgumentError(
            f"a series of {len(series)} cannot be read as {batch} rows of windows of {width}, with one step ahead"
        )
    rows = np.stack([series[row * length : (row + 1) * length + 1] for row in range(batch)], axis=1)
    for start in range(0, length - width + 1, width):
        yield rows[start : start + width], rows[start + 1 : start + width + 1]


def chronological_split(length: int) -> tuple[range, range, range]:
    """Split a series across time: 70 %, 20 % and 10 %, in order, not shuffled (003:437).

    Args:
        length: the number N of samples.

    Returns:
        (training, validation, test) indices; the cuts are floor(0.7 N) and floor(0.9 N).

    Raises:
        ArgumentError: on a negative length.
    """
    if length < 0:
        raise ArgumentError(f"the length is {length}, expected 0 or more")
    first, second = length * 7 // 10, length * 9 // 10
    return range(first), range(first, second), range(second, length)
