"""The layout inside the gated references, and the blocks of time steps in which long sequences are worked through.

Every step's gates lie together, and each is a matrix of columns: (T, G, d, B) rather than (T, G, B, d). One product
W h serves all gates of a step, each gate is contiguous, and the transposed product sums over the gates by itself.
What goes in and out stays (T, B, d), as views.

In the shapes, t is the number of steps of a block, and G the number of gates.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Inexact

from rnn_harness.references.array_types import Array, DType

# A block has about so many entries of one gate: many steps, and so few calls, where the steps are small; few where they
# are large, so that what it reads and writes stays in a core's own cache (1 to 2 MiB), which is why there are blocks.
ENTRIES_PER_BLOCK = 2**14
# But at least so many columns (steps times rows), even where that is more than the cache holds: the weights' gradients
# are added up from products over so many.
COLUMNS_PER_BLOCK = 2**9
# Products of up to so many multiplications OpenBLAS takes as they lie, without packing them first.
UNPACKED_MULTIPLICATIONS = 10**6
# Below so many bytes, finding the cache line takes longer than what it saves.
UNALIGNED_BYTES = 2**14


def time_blocks(steps: int, hidden_size: int, batch: int) -> list[slice]:
    """Cut the time steps into slices, in order and of equal length, the last perhaps shorter.

    Args:
        steps: the number of time steps T.
        hidden_size: the hidden size d.
        batch: the number of batch rows B.
    """
    size = max(ENTRIES_PER_BLOCK // max(1, hidden_size * batch), -(-COLUMNS_PER_BLOCK // max(1, batch)), 1)
    return [slice(start, min(start + size, steps)) for start in range(0, steps, size)]


def longest_block(spans: list[slice]) -> int:
    """Return the number of steps of the longest block, for which room has to be made; 0 without blocks.

    Args:
        spans: the blocks, as `time_blocks` returns them: the first is the longest.
    """
    return spans[0].stop - spans[0].start if spans else 0


def empty_aligned(shape: tuple[int, ...], dtype: DType) -> Array:
    """Make an array as np.empty does, but let large ones begin with a cache line (64 bytes).

    Vector instructions take up to twice as long where every access straddles two lines, and NumPy's arrays do so more
    often than not.

    Args:
        shape: the shape of the array.
        dtype: its dtype.
    """
    size = math.prod(shape) * dtype.itemsize
    if size < UNALIGNED_BYTES:
        return np.empty(shape, dtype)
    room = np.empty(size + 64, np.uint8)
    return np.ndarray(shape, dtype, room, -room.__array_interface__["data"][0] % 64)


def by_row(values: Inexact[Array, "t d B"]) -> Inexact[Array, "t B d"]:
    """Copy columns into rows: (t, B, d), contiguous, from (t, d, B).

    Args:
        values: t steps of a matrix of columns, one for each batch row; not changed.
    """
    return np.ascontiguousarray(values.transpose(0, 2, 1))


class BlockGradients:
    """The gradients of one block's gates, and what is added up from them over steps and batch rows.

    The steps are put side by side for one product of all; but where a step has as many batch rows as a gate has
    entries, and its other operand is not too wide, a product for each step is faster.

    Attributes:
        delta: the gradients of all gates, step by step, (t, G * d, B).
        flat: the same with the steps side by side, (G * d, t * B); None where a product for each step is faster.
    """

    def __init__(
        self, delta: Inexact[Array, "t Gd B"], hidden_size: int, width: int, room: Inexact[Array, "Gd _ B"]
    ) -> None:
        """Put the steps side by side where that is faster.

        Args:
            delta: the gradients of all gates, G * d entries a step.
            hidden_size: the hidden size d.
            width: the largest number of columns that a step's gradients are multiplied with.
            room: where the steps are put side by side; for t steps or more.
        """
        steps, entries, batch = delta.shape
        self.delta, self.flat = delta, None
        if batch < hidden_size or entries * batch * width > UNPACKED_MULTIPLICATIONS:
            side_by_side = room[:, :steps]
            side_by_side[...] = delta.transpose(1, 0, 2)
            self.flat = side_by_side.reshape(entries, steps * batch)

    def for_weights(self, gates: slice, rows: Inexact[Array, "t B k"]) -> Inexact[Array, "_ k"]:
        """Compute the gradient for a matrix of weights.

        Args:
            gates: the entries of `delta` that the matrix gives.
            rows: the values that the matrix multiplies.
        """
        if self.flat is None:
            total: Array = np.matmul(self.delta[:, gates], rows).sum(axis=0)
            return total
        steps, batch, size = rows.shape
        return self.flat[gates] @ rows.reshape(steps * batch, size)

    def for_biases(self) -> Inexact[Array, Gd]:
        """Compute the gradient for the biases of all gates."""
        if self.flat is None:
            total: Array = np.matmul(self.delta, np.ones(self.delta.shape[2], self.delta.dtype)).sum(axis=0)
            return total
        return self.flat @ np.ones(self.flat.shape[1], self.flat.dtype)

    def for_inputs(self, gates: slice, weights: Inexact[Array, "_ n"], out: Inexact[Array, "t B n"]) -> None:
        """Put the gradient for the inputs into `out`.

        Args:
            gates: the entries of `delta` that `weights` give.
            weights: the matrix that multiplies the inputs, a row for each entry of `gates`.
            out: where the gradient goes.
        """
        if self.flat is None:
            np.matmul(self.delta[:, gates].transpose(0, 2, 1), weights, out=out)
        else:
            steps, batch, size = out.shape
            np.matmul(self.flat[gates].T, weights, out=out.reshape(steps * batch, size))
