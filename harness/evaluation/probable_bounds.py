"""What rounding makes of numbers but for a stated probability; `arithmetic/probable_ball.py` says how."""

from __future__ import annotations

from rnn_harness.arithmetic.array_operations import NUMPY, ArrayOperations
from rnn_harness.arithmetic.probable_ball import ProbableBallArithmetic
from rnn_harness.evaluation.array_bounds import ArrayBounds
from rnn_harness.evaluation.evaluation import Evaluation


class ProbableBounds(ArrayBounds):
    """Bounds of outputs and gradients that are sharper than the proved ones where sums are long.

    Args:
        evaluation: A subject on a case of any size.
        operations: What is computed with: NumPy, or torch on a device.
    """

    def __init__(self, evaluation: Evaluation, operations: ArrayOperations = NUMPY) -> None:
        rounding = evaluation.rounding
        self._probable_forward = ProbableBallArithmetic(rounding, operations)
        self._probable_backward = ProbableBallArithmetic(rounding.of_backward, operations)
        super().__init__(evaluation, self._probable_forward, self._probable_backward, operations)

    @property
    def failure_probability(self) -> float:
        """With what probability one of the bounds computed so far fails at most, if the assumption holds."""
        return self._probable_forward.failure_probability + self._probable_backward.failure_probability

    @property
    def differ(self) -> bool:
        """Whether any bound computed so far differs from the proved one: a sum was long enough."""
        return self._probable_forward.sums + self._probable_backward.sums > 0
