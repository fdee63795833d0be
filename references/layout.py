"""The layout inside the gated references, and the blocks of time steps in which long sequences are worked through.

Every step's gates lie together, and each is a matrix of columns: (T, G, d, B) rather than (T, G, B, d). One product
W h serves all gates of a step, each gate is contiguous, and the transposed product sums over the gates by itself.
What goes in and out stays (T, B, d), as views.

Dimension legend: T time steps, B batch rows, d hidden size, G gates.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnn_harness.references.array_types import Array

# A block has about so many entries of one gate: many steps, and so few calls, where the steps are small; few where they
# are large, so that what it reads and writes stays in a core's own cache (1 to 2 MiB), which is why there are blocks.
_ENTRIES = 2**14
# But at least so many columns (steps times rows), even where that is more than the cache holds: the weights' gradients
# are added up from products over so many.
_COLUMNS = 2**9
# Products of up to so many multiplications OpenBLAS takes as they lie, without packing them first.
_UNPACKED = 10**6
_SMALL = 2**14  # bytes; below, finding the line takes longer than what it saves


def blocks(steps: int, hidden_size: int, batch: int) -> list[slice]:
    """The time steps in order, cut into slices of equal length, the last perhaps shorter."""
    size = max(_ENTRIES // max(1, hidden_size * batch), -(-_COLUMNS // max(1, batch)), 1)
    return [slice(start, min(start + size, steps)) for start in range(0, steps, size)]


def longest(spans: list[slice]) -> int:
    """Steps of the longest block: the room that is enough for each."""
    return spans[0].stop - spans[0].start if spans else 0


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """As np.empty, but large arrays begin with a cache line (64 bytes): vector instructions take up to twice as long
    where every access straddles two, and NumPy's own arrays do so more often than not.
    """
    size = math.prod(shape) * dtype.itemsize
    if size < _SMALL:
        return np.empty(shape, dtype)
    room = np.empty(size + 64, np.uint8)
    return np.ndarray(shape, dtype, room, -room.__array_interface__["data"][0] % 64)


def by_row(values: Array) -> Array:
    """(t, B, d), contiguous, from (t, d, B)."""
    return np.ascontiguousarray(values.transpose(0, 2, 1))


class Collected:
    """The gradients of one block's gates, `delta` (t, G * d, B), and what is added up from them over steps and rows.

    The steps are put side by side, into `room` (G * d, t or more, B), for one product of all; but where a step has as
    many rows as a gate has entries, and what it is multiplied with is not too wide (`width`), step by step is faster.
    """

    def __init__(self, delta: Array, hidden_size: int, width: int, room: Array) -> None:
        steps, entries, batch = delta.shape
        self.delta, self.flat = delta, None
        if batch < hidden_size or entries * batch * width > _UNPACKED:
            side_by_side = room[:, :steps]
            side_by_side[...] = delta.transpose(1, 0, 2)
            self.flat = side_by_side.reshape(entries, steps * batch)

    def for_weights(self, gates: slice, rows: Array) -> Array:
        """The gradient for what `rows` (t, B, k) are multiplied with in the `gates` (rows of delta): (rows, k)."""
        if self.flat is None:
            total: Array = np.matmul(self.delta[:, gates], rows).sum(axis=0)
            return total
        steps, batch, size = rows.shape
        return self.flat[gates] @ rows.reshape(steps * batch, size)

    def for_biases(self) -> Array:
        """The gradient for the biases of all gates, (G * d,)."""
        if self.flat is None:
            total: Array = np.matmul(self.delta, np.ones(self.delta.shape[2], self.delta.dtype)).sum(axis=0)
            return total
        return self.flat @ np.ones(self.flat.shape[1], self.flat.dtype)

    def for_inputs(self, gates: slice, weights: Array, out: Array) -> None:
        """Put the gradient for the inputs, which the `gates` multiply with `weights`, into `out` (t, B, n)."""
        if self.flat is None:
            np.matmul(self.delta[:, gates].transpose(0, 2, 1), weights, out=out)
        else:
            steps, batch, size = out.shape
            np.matmul(self.flat[gates].T, weights, out=out.reshape(steps * batch, size))
