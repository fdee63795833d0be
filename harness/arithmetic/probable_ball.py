"""Balls as arrays whose long sums are bounded by what rounding does in all but hardly any case.

The claim. If the assumption of `probable_sums.py` holds of the implementation, every ball holds whatever it computes,
but for `failure_probability`. The proof is that of `array_ball.py`, with the bound (3) of `probable_sums.py` in the
place of the worst case in each sum of many terms, while all of these bounds hold. Everything else stays as it is
there: a function, a quotient and a short sum may round as badly as they ever can.

For float64 the midpoints' own rounding would be as large as what is bounded; so products are split into parts of which
hardly anything is rounded, which is proved and needs no assumption.
"""

from __future__ import annotations

import math

from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import MIDPOINT_UNIT, ArrayBall, OpenArrayBall
from rnn_harness.arithmetic.array_operations import NUMPY, ArrayOperations
from rnn_harness.arithmetic.assumptions import UPWARD
from rnn_harness.arithmetic.probable_sums import failure_probability, is_sharper, probable_rounding, split_product
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.array_types import Array


class ProbableBallArithmetic(ArrayBallArithmetic):
    """Evaluation in midpoints and radii; the claim and its proof stand above.

    Attributes:
        sums: The number of sums so far whose bounds are probable and not proved.

    Args:
        rounding: What an implementation may round at each operation. If it sums products in a wider format than the one
            it stores, what it stores outweighs the sums, and no bound is probable.
        operations: What midpoints and radii are computed with.
    """

    def __init__(self, rounding: Rounding, operations: ArrayOperations = NUMPY) -> None:
        super().__init__(rounding, operations)
        self.sums = 0
        self._splits = 0 < self._unit <= MIDPOINT_UNIT

    @property
    def failure_probability(self) -> float:
        """With what probability one of all sums so far exceeds its bound at most, if the assumption holds."""
        return failure_probability(self.sums)

    def settle(self, value: ArrayBall | OpenArrayBall) -> ArrayBall:
        proved = super().settle(value)
        if isinstance(value, ArrayBall) or self._wide is not None or not self._unit or not is_sharper(value.terms):
            return proved
        size = abs(value.middle) + value.radius
        further = self._further(value)
        underflow = self._underflow * 2 * (value.terms + further)
        rounding = probable_rounding(self._unit, value.terms, value.mass, size, underflow, further)
        radius = (value.radius + rounding + underflow) * UPWARD
        self.sums += math.prod(proved.shape)
        return ArrayBall(value.middle, self._operations.minimum(radius, proved.radius))

    def _product_of_midpoints(self, rows: Array, columns: Array, mass: Array) -> tuple[Array, Array]:
        product, rounding = super()._product_of_midpoints(rows, columns, mass)
        if not self._splits or not is_sharper(rows.shape[1]):
            return product, rounding
        split, split_rounding = split_product(rows, columns)
        return (split, split_rounding) if self._operations.isfinite(split_rounding).all() else (product, rounding)
