"""What the spec gives of a case, with bounds, at any size; `arithmetic/array_ball.py` says how."""

from __future__ import annotations

import functools
from typing import cast

import numpy as np

from rnn_harness.arithmetic import Trajectory, evaluate
from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall, wider
from rnn_harness.arithmetic.array_operations import NUMPY, ArrayOperations
from rnn_harness.array_types import Array
from rnn_harness.derivatives import BatchPart, Cotangents, derive, differentiate_parts
from rnn_harness.evaluation.alternative_forms import forms
from rnn_harness.evaluation.evaluation import Evaluation, final_states
from rnn_harness.evaluation.rows_of_one_length import RowsOfOneLength, joined_rows, joined_steps, rows_by_length
from rnn_harness.specs.program import Program


class ArrayBounds:
    """The bounds of one evaluation's outputs and gradients; each computed when it is asked for.

    Rows of several lengths are evaluated each over its own steps: past them, outputs and gradients are zero.
    The numbers are read when a bound is first asked for; ask before the subject runs, which may overwrite them.

    Args:
        evaluation: A subject on a case of any size.
        forward: The arithmetic of the values; what the evaluation's rounding gives where None.
        backward: That of the gradients.
        operations: What both compute with where they are not given: NumPy, or torch on a device.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        forward: ArrayBallArithmetic | None = None,
        backward: ArrayBallArithmetic | None = None,
        operations: ArrayOperations = NUMPY,
    ) -> None:
        self._evaluation, self._operations = evaluation, operations
        rounding = evaluation.rounding
        self._forward = forward or ArrayBallArithmetic(rounding, operations)
        self._backward = backward or ArrayBallArithmetic(rounding.of_backward, operations)

    def compute(self) -> None:
        """Compute all bounds now: a subject that runs may overwrite the numbers."""
        _ = self.outputs, self.finals, self.gradients

    @functools.cached_property
    def _groups(self) -> tuple[RowsOfOneLength, ...]:
        """The rows of each length."""
        return rows_by_length(self._evaluation.arrays)

    @functools.cached_property
    def _programs(self) -> tuple[Program, ...]:
        """Every form that the subject may compute by."""
        return forms(self._evaluation.subject.spec, self._evaluation.options.alternatives)

    @functools.cached_property
    def _trajectories(self) -> tuple[tuple[Trajectory[ArrayBall], ...], ...]:
        """The values by every form: of the rows of each length."""
        values = [group.values(self._evaluation) for group in self._groups]
        return tuple(tuple(evaluate(program, v, self._forward) for v in values) for program in self._programs)

    @functools.cached_property
    def outputs(self) -> ArrayBall:
        """The outputs, (T, B, .)."""
        name, shape = self._evaluation.subject.output_name, self._evaluation.arrays.d_outputs.shape
        by_form = [
            [[step[name] for step in part.steps] for part in trajectories] for trajectories in self._trajectories
        ]
        return wider([joined_steps(shape, self._groups, steps, self._operations) for steps in by_form])

    @functools.cached_property
    def finals(self) -> dict[str, ArrayBall]:
        """The final states by the spec's names, (B, .) each."""
        tables = []
        for program, trajectories in zip(self._programs, self._trajectories, strict=True):
            parts = [final_states(program, trajectory) for trajectory in trajectories]
            tables.append(
                {name: joined_rows(self._groups, [part[name] for part in parts], self._operations) for name in parts[0]}
            )
        return {name: wider([table[name] for table in tables]) for name in tables[0]}

    @functools.cached_property
    def gradients(self) -> dict[str, ArrayBall]:
        """The gradients by flat name, in the shapes that the subject's have."""
        tables = [
            self._gathered(self._cotangents(program, trajectories))
            for program, trajectories in zip(self._programs, self._trajectories, strict=True)
        ]
        return {name: wider([table[name] for table in tables]) for name in tables[0]}

    def _cotangents(self, program: Program, trajectories: tuple[Trajectory[ArrayBall], ...]) -> Cotangents[ArrayBall]:
        """Return the spec's cotangents of all rows."""
        d_outputs, d_finals = self._evaluation.spec_cotangents
        backward = derive(program)
        parts = [
            BatchPart(
                trajectory,
                {name: value[: group.length, group.rows] for name, value in d_outputs.items()},
                {name: value[group.rows] for name, value in d_finals.items()},
            )
            for group, trajectory in zip(self._groups, trajectories, strict=True)
        ]
        by_part = differentiate_parts(backward, parts, self._backward)
        steps = len(self._evaluation.arrays.inputs)
        inputs = {}
        for name in sorted({name for part in by_part for name in part.inputs}):
            by_group = [part.inputs.get(name, ()) for part in by_part]
            width = next(step for part in by_group for step in part).shape[-1]
            shape = (steps, self._evaluation.case.B, width)
            joined = joined_steps(shape, self._groups, by_group, self._operations)
            inputs[name] = [joined[t, ...] for t in range(steps)]
        states = {
            name: joined_rows(self._groups, [part.states[name] for part in by_part], self._operations)
            for name in by_part[0].states
        }
        return Cotangents(inputs, states, by_part[0].parameters)

    def _gathered(self, cotangents: Cotangents[ArrayBall]) -> dict[str, ArrayBall]:
        """Return the spec's cotangents by flat names of the subject; where no row has a step, with the zeros of all."""
        with self._backward.scope():
            # An array ball offers what the maps of parameters do with an array: parts, transposes, signs and sums.
            rows = self._evaluation.gathered(cast("Cotangents[Array]", cotangents))
        balls = cast("dict[str, ArrayBall]", rows)
        if any(group.length for group in self._groups):
            return balls
        values = {name: np.shape(value) for name, value in self._evaluation.flat_values.items()}
        zeros = self._operations.zeros
        return {name: ArrayBall(zeros(shape), zeros(shape), True) for name, shape in values.items()} | balls
