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

from rnn_harness.references._base import Array

# A block has about so many entries of one gate: many steps, and so few calls, where the steps are small; few where they
# are large, so that what it reads and writes stays in a core's own cache (1 to 2 MiB), which is why there are blocks.
_ENTRIES = 2**14
# But at least so many columns (steps times rows), even where that is more than the cache holds: the weights' gradients
# are added up from products over so many.
_COLUMNS = 2**9
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


def by_gate(values: Array, room: Array) -> Array:
    """(G * d, t * B) from (t, G, d, B), without new memory where `room` (G, d, t or more, B) is filled by it."""
    steps, count, d, batch = values.shape
    filled = room[:, :, :steps]
    filled[...] = values.transpose(1, 2, 0, 3)
    return filled.reshape(count * d, steps * batch)


def by_row(values: Array) -> Array:
    """(T * B, d), contiguous, from (T, d, B)."""
    steps, d, batch = values.shape
    return np.ascontiguousarray(values.transpose(0, 2, 1)).reshape(steps * batch, d)
