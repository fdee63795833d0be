"""Bounds of an expectation in arrays: none is narrower than Arb's, nor much wider, and mostly they decide."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from rnn_harness.arithmetic import Trajectory, Values, evaluate
from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF, WIDEST_IN_FLOAT64, WIDEST_IN_NARROWER_FORMATS
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.array_types import Array
from rnn_harness.derivatives import Cotangents, derive, differentiate
from rnn_harness.specs.program import Program


@dataclass(frozen=True, eq=False)
class QuickRadii:
    """What one program gives for one set of numbers, in arrays; the fields are those of an `Expectation`.

    Attributes:
        program: the equations.
        values: parameters, inputs, initial states and sizes.
        d_outputs: output cotangents by output name.
        d_finals: cotangents of the final states by state name.
        rounding: what an implementation may round.
    """

    program: Program
    values: Values
    d_outputs: Mapping[str, Array]
    d_finals: Mapping[str, Array]
    rounding: Rounding

    @functools.cached_property
    def _trajectory(self) -> Trajectory[ArrayBall]:
        return evaluate(self.program, self.values, ArrayBallArithmetic(self.rounding))

    @functools.cached_property
    def step_radii(self) -> tuple[Mapping[str, Array], ...]:
        """The bounds of all values, none narrower than Arb's: by step, then by symbol."""
        return tuple({name: ball.radius for name, ball in step.items()} for step in self._trajectory.steps)

    @functools.cached_property
    def cotangents(self) -> Cotangents[ArrayBall]:
        """All gradients, with bounds none of which is narrower than Arb's."""
        arithmetic = ArrayBallArithmetic(self.rounding.of_backward)
        return differentiate(derive(self.program), self._trajectory, self.d_outputs, self.d_finals, arithmetic)


def most_over_arb(rounding: Rounding) -> float:
    """Say how many times as wide as Arb's the bounds in arrays are at most.

    Args:
        rounding: what an implementation may round.
    """
    is_as_precise = rounding.unit <= UNIT_ROUNDOFF["float64"]
    return WIDEST_IN_FLOAT64 if is_as_precise else WIDEST_IN_NARROWER_FORMATS
