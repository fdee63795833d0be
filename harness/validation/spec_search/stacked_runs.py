"""Many runs of one program at once: its parameters have a leading axis, one entry for each choice of them."""

from __future__ import annotations

import numpy as np

from rnn_harness.arithmetic.numpy_arithmetic import NumpyArithmetic
from rnn_harness.array_types import Array, BoolArray


class StackedArithmetic(NumpyArithmetic):
    """NumPy arithmetic whose matrices are (R, results, operands) and whose vectors are (B, n) or (R, B, n)."""

    def matrix_vector(self, matrix: Array, vector: Array) -> Array:
        """Multiply matrices by vectors.

        Args:
            matrix: (results, operands), or (R, results, operands).
            vector: (B, operands), or (R, B, operands).
        """
        product: Array = vector @ np.swapaxes(matrix, -1, -2)
        return product

    def transpose(self, matrix: Array) -> Array:
        """Transpose every matrix.

        Args:
            matrix: (results, operands), or (R, results, operands).
        """
        return np.swapaxes(matrix, -1, -2)

    def concatenate(self, *parts: Array) -> Array:
        """Put vectors side by side.

        Args:
            parts: Each (B, n) or (R, B, n), with lengths of their own.
        """
        lead = np.broadcast_shapes(*(part.shape[:-1] for part in parts))
        return np.concatenate([np.broadcast_to(part, (*lead, part.shape[-1])) for part in parts], axis=-1)


def agreements(target: Array, predicted: Array, tolerance: float) -> BoolArray:
    """Say for each of many runs whether it gives what a target gives.

    Args:
        target: What the target gave, of any shape.
        predicted: What the runs gave, with the leading axis R.
        tolerance: The largest difference of two entries.

    Returns:
        One truth value for each run, (R,).
    """
    with np.errstate(invalid="ignore"):
        are_close = (np.abs(predicted - target) <= tolerance) | (predicted == target)
    decided: BoolArray = are_close.reshape(len(predicted), -1).all(axis=1)
    return decided
