"""What is known of how an implementation computes before it is judged: it decides the rounding it is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rnn_harness.arithmetic.assumptions import (
    ABSOLUTE_FUNCTION_ROUNDINGS,
    COMPOSED_SLOPE_ROUNDINGS,
    UNDERFLOW,
    UNIT_ROUNDOFF,
)
from rnn_harness.arithmetic.rounding import Rounding

NARROW = ("bfloat16", "float16")
"""Formats whose kernels accumulate in float32."""

BIAS_PARTS, MOST_BIAS_PARTS = 2, 3
"""As how many numbers torch's cells and layers hold the biases of their gates, and as how many at most a cell of others
may that is recognised."""

LONG, LONG_BY_BEGINNINGS, FEW_STEPS = 1000, 120, 50
"""Steps of a long sequence; of one every output of which needs a call of its own, so that the work, and the memory of
its graphs, grow with their square; and of one for a kernel that is interpreted."""


@dataclass(frozen=True)
class JudgingOptions:
    """How a subject is judged. The defaults are those of a reference: printed equations, every result rounded.

    Attributes:
        alternatives: ids of equations by which it may compute in place of the printed ones.
        operands: how far it shortens each operand of a matrix product, relatively; None if it does not.
        absolute_function_error: whether its functions are exact against 1 and not against their own value.
        long_steps: number of time steps of a long sequence.
        fixed_sizes: whether it exists for some sizes alone.
        arithmetic: format in which it computes although its numbers are stored in a wider one; empty if in that.
        varies_between_runs: whether a repeated run may give other bits, within its bounds.
        is_single_step: whether it is called once for each step, so that a run begun in the middle makes the same calls.
        bias_parts: as how many numbers it holds a bias at most, as `Rounding.bias_parts`; a reference has one.
    """

    alternatives: tuple[str, ...] = ()
    operands: Fraction | None = None
    absolute_function_error: bool = False
    long_steps: int = LONG
    fixed_sizes: bool = False
    arithmetic: str = ""
    varies_between_runs: bool = False
    is_single_step: bool = False
    bias_parts: int = 1

    @property
    def is_slow(self) -> bool:
        """Whether a run takes so long that few and small ones must do."""
        return self.long_steps <= FEW_STEPS

    def rounding(self, dtype: str) -> Rounding:
        """Return what rounding an implementation with these options may do in `dtype`.

        Args:
            dtype: format in which values are stored.
        """
        if self.arithmetic:
            # What is stored in a wider format is shortened before it is used.
            operands = self.operands or UNIT_ROUNDOFF[self.arithmetic]
            return rounding(self.arithmetic, operands, self.absolute_function_error, self.bias_parts)
        return rounding(dtype, self.operands, self.absolute_function_error, self.bias_parts)


def rounding(
    dtype: str, operands: Fraction | None = None, absolute_function_error: bool = False, bias_parts: int = BIAS_PARTS
) -> Rounding:
    """Return what a right implementation in `dtype` may round.

    Args:
        dtype: format in which values are stored; narrow ones accumulate and apply functions in float32.
        operands: how far each operand of a matrix product is shortened first, relatively.
        absolute_function_error: whether functions are exact against 1 and not against their own value.
        bias_parts: as how many numbers it may hold a bias.
    """
    wide = UNIT_ROUNDOFF["float32"] if dtype in NARROW else None
    unit = UNIT_ROUNDOFF[dtype]
    if not absolute_function_error:
        return Rounding(unit, UNDERFLOW[dtype], wide, operands, bias_parts=bias_parts)
    absolute, backward_unit = ABSOLUTE_FUNCTION_ROUNDINGS * unit, COMPOSED_SLOPE_ROUNDINGS * unit
    return Rounding(
        unit,
        UNDERFLOW[dtype],
        wide,
        operands,
        absolute=absolute,
        backward_unit=backward_unit,
        bias_parts=bias_parts,
    )
