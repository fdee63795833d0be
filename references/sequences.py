"""Data around sequences: one-hot codes, windows, batches of a stateful network, a split across time.

Sources: 000:235 and 001:99 (one-hot), 003:437 (split), 003:504-521 (windows, stateless and stateful).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references.arguments import ArgumentError
from rnn_harness.references.array_types import Array


def one_hot(indices: NDArray[np.intp], size: int, dtype: Any = np.float64) -> Array:
    """Vectors with a single 1: shape of `indices` plus (size,). Raises ArgumentError on an index outside."""
    indices = np.asarray(indices)
    if indices.dtype.kind not in "iu":
        raise ArgumentError(f"indices have dtype {indices.dtype}, expected whole numbers")
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise ArgumentError(f"indices reach from {indices.min()} to {indices.max()}, expected 0..{size - 1}")
    return np.eye(size, dtype=dtype)[indices]


def windows(series: Array, width: int, shift: int = 1, offset: int = 1) -> tuple[Array, Array]:
    """(inputs, targets), each (N, width, ...): windows of consecutive samples, the target `offset` later.

    `series` (T, ...). There are (T - width - offset) // shift + 1 windows. Raises ArgumentError if none fits.
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


def stateful_batches(series: Array, batch: int, width: int) -> Iterator[tuple[Array, Array]]:
    """(inputs, targets), time-major (width, batch, ...), so that row b of a batch goes on where row b of the
    batch before ended: sequential, not overlapping (003:518). Raises ArgumentError if the series is too short.
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
    """(training, validation, test) indices: 70 %, 20 %, 10 % in the order of time, not shuffled (003:437).

    The cuts are floor(0.7 N) and floor(0.9 N), in whole numbers. Raises ArgumentError on a negative length.
    """
    if length < 0:
        raise ArgumentError(f"the length is {length}, expected 0 or more")
    first, second = length * 7 // 10, length * 9 // 10
    return range(first), range(first, second), range(second, length)
