"""What an implementation may round: the one description from which every bound is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True)
class Rounding:
    """What an implementation may do to a result.

    Attributes:
        unit: The unit roundoff of the format in which values are stored.
        underflow: How far off a result may be besides, in itself (see `assumptions.UNDERFLOW`).
        wide: The unit roundoff of the format in which products are summed and functions computed, if another.
        operands: How far each operand of a matrix product may be shortened, relatively.
        functions: How far off a function may be besides, relatively.
        absolute: How far off a function may be besides, in itself.
        backward_unit: The unit roundoff of a backward's operations, if another: the slopes of functions that are put
            together out of others pass through more of them than the printed ones.
        bias_parts: As how many numbers of one sign, which add up to it exactly, an implementation may hold a bias: two
            for torch's two biases of one gate.
    """

    unit: Fraction
    underflow: Fraction = Fraction(0)
    wide: Fraction | None = None
    operands: Fraction | None = None
    functions: Fraction | None = None
    absolute: Fraction | None = None
    backward_unit: Fraction | None = None
    bias_parts: int = 2

    @property
    def of_backward(self) -> Rounding:
        """What an implementation may do to a gradient."""
        return self if self.backward_unit is None else replace(self, unit=self.backward_unit, backward_unit=None)
