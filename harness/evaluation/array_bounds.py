"""What the spec gives of a case, with bounds, at any size; `arithmetic/array_ball.py` says how."""

from __future__ import annotations

import functools
from typing import cast

from rnn_harness.arithmetic import Trajectory, evaluate
from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall, stacked, wider
from rnn_harness.array_types import Array
from rnn_harness.derivatives import Cotangents, derive, differentiate
from rnn_harness.evaluation.alternative_forms import forms
from rnn_harness.evaluation.evaluation import Evaluation, final_states
from rnn_harness.specs.program import Program


class ArrayBounds:
    """The bounds of one evaluation's outputs and gradients; each computed when it is asked for.

    The numbers are read when a bound is first asked for; ask before the subject runs, which may overwrite them.

    Args:
        evaluation: A subject on a case of any size.
        forward: The arithmetic of the values; what the evaluation's rounding gives where None.
        backward: That of the gradients.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        forward: ArrayBallArithmetic | None = None,
        backward: ArrayBallArithmetic | None = None,
    ) -> None:
        self._evaluation = evaluation
        rounding = evaluation.rounding
        self._forward = forward or ArrayBallArithmetic(rounding)
        self._backward = backward or ArrayBallArithmetic(rounding.of_backward)

    @functools.cached_property
    def _trajectories(self) -> tuple[tuple[Program, Trajectory[ArrayBall]], ...]:
        """The values of every form that the subject may compute by."""
        evaluation = self._evaluation
        programs = forms(evaluation.subject.spec, evaluation.options.alternatives)
        return tuple((program, evaluate(program, evaluation.values, self._forward)) for program in programs)

    @functools.cached_property
    def outputs(self) -> ArrayBall:
        """The outputs, (T, B, .)."""
        name = self._evaluation.subject.output_name
        return wider([stacked([step[name] for step in trajectory.steps]) for _, trajectory in self._trajectories])

    @functools.cached_property
    def finals(self) -> dict[str, ArrayBall]:
        """The final states by the spec's names, (B, .) each."""
        tables = [final_states(program, trajectory) for program, trajectory in self._trajectories]
        return {name: wider([table[name] for table in tables]) for name in tables[0]}

    @functools.cached_property
    def gradients(self) -> dict[str, ArrayBall]:
        """The gradients by flat name, in the shapes that the subject's have."""
        d_outputs, d_finals = self._evaluation.spec_cotangents
        tables = [
            self._gathered(differentiate(derive(program), trajectory, d_outputs, d_finals, self._backward))
            for program, trajectory in self._trajectories
        ]
        return {name: wider([table[name] for table in tables]) for name in tables[0]}

    def _gathered(self, cotangents: Cotangents[ArrayBall]) -> dict[str, ArrayBall]:
        """Return the spec's cotangents by flat names of the subject."""
        with self._backward.scope():
            # An array ball offers what the maps of parameters do with an array: parts, transposes, signs and sums.
            rows = self._evaluation.gathered(cast("Cotangents[Array]", cotangents))
        return cast("dict[str, ArrayBall]", rows)
