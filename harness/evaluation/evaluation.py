"""One case, run: what the subject computed, next to what its spec expects; each computed once and only if asked for."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from rnn_harness.arithmetic import Arithmetic, Trajectory, Values, evaluate
from rnn_harness.arithmetic.array_ball_values import ArrayBall, stacked
from rnn_harness.arithmetic.array_operations import operations_of
from rnn_harness.arithmetic.assumptions import GUARD_MARGIN, NARROW_MARGIN
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.protocol import OpenT, StoredT
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case
from rnn_harness.derivatives import Cotangents, derive, differentiate
from rnn_harness.evaluation.alternative_forms import forms, widest, widest_trajectory
from rnn_harness.evaluation.expectation import Expectation, expect
from rnn_harness.evaluation.judging_options import NARROW, JudgingOptions, rounding
from rnn_harness.references import Gradients, Reference, Run
from rnn_harness.specs.program import Program
from rnn_harness.subjects.case_arrays import CaseArrays, draw_arrays
from rnn_harness.subjects.subject import LAYERS, Subject


def final_states(program: Program, trajectory: Trajectory[StoredT]) -> dict[str, StoredT]:
    """Return the last value of every state; of a state that runs backward, its value at the first step.

    Args:
        program: it says which states run from the last step to the first.
        trajectory: the values of all steps; without steps, the initial states are the final ones.
    """
    backward = {state.name for step in program.passes if step.direction < 0 for state in step.carried}
    if not trajectory.steps:
        return dict(trajectory.initial)
    return {s.name: trajectory.steps[0 if s.name in backward else -1][s.name] for s in program.states}


class Evaluation:
    """A subject on a case's arrays.

    Args:
        subject: what is judged.
        arrays: the numbers; the subject is given these very arrays.
        options: what is known of how the subject computes.
        allowed: what the subject may round; by default what `options` says of the case's dtype.
    """

    def __init__(
        self,
        subject: Subject,
        arrays: CaseArrays,
        options: JudgingOptions | None = None,
        allowed: Rounding | None = None,
    ) -> None:
        self.subject, self.arrays = subject, arrays
        self.options = options or JudgingOptions()
        self.rounding = allowed or self.options.rounding(arrays.case.dtype)

    @classmethod
    def of(cls, subject: Subject, case: Case, options: JudgingOptions | None = None) -> Evaluation:
        """Draw the arrays of `case`, and judge `subject` on them as `options` say.

        Args:
            subject: what is judged.
            case: sizes, dtype and seed of the numbers.
            options: what is known of how the subject computes; those of a reference where None.
        """
        return cls(subject, draw_arrays(case, subject), options)

    def on(self, arrays: CaseArrays, cell: Reference | None = None) -> Evaluation:
        """Return the evaluation of the same subject (or of `cell` in its place), judged the same way, on other numbers.

        Args:
            arrays: the numbers; they are not copied.
            cell: a cell with the same parameters; the subject's where None.
        """
        subject = self.subject if cell is None else replace(self.subject, cell=cell)
        return Evaluation(subject, arrays, self.options)

    def rounded_as(self, dtype: str) -> Evaluation:
        """Return the evaluation of the same numbers, judged by what arithmetic in `dtype` may round.

        Args:
            dtype: the name of a dtype; that of the arrays stays.
        """
        return Evaluation(self.subject, self.arrays, self.options, rounding(dtype, bias_parts=self.options.bias_parts))

    def judged_with(self, options: JudgingOptions) -> Evaluation:
        """Return the same run of the same subject, judged with other options.

        Args:
            options: The options of the new evaluation; what the subject computed is shared, not run again.
        """
        evaluation = Evaluation(self.subject, self.arrays, options)
        computed = {name: value for name, value in self.__dict__.items() if name in ("run", "gradients")}
        evaluation.__dict__.update(computed)
        return evaluation

    def copied(self, subject: Subject) -> Evaluation:
        """Return the evaluation of another subject of the same spec, on copies of these numbers.

        Args:
            subject: the other subject; it shares what is expected of the numbers, which is not computed again.
        """
        evaluation = Evaluation(subject, self.arrays.copied(), self.options, self.rounding)
        evaluation.__dict__["expectations"] = self.expectations
        return evaluation

    @property
    def case(self) -> Case:
        """The case whose arrays these are."""
        return self.arrays.case

    @property
    def absent(self) -> tuple[str, ...]:
        """What the reference has and the subject has not: parameters, and ``states.h``."""
        return self.subject.absent

    @property
    def margin(self) -> int:
        """By how many bounds a parameter must move the output for the case to count."""
        return NARROW_MARGIN if self.case.dtype in NARROW else GUARD_MARGIN

    @functools.cached_property
    def program(self) -> Program:
        """The equations as printed."""
        return self.subject.spec.program(LAYERS)

    @functools.cached_property
    def run(self) -> Run:
        """The subject's forward."""
        # What is expected is fixed first: a subject may write into the arrays it is given.
        assert self.expectations
        d = self.arrays
        return self.subject.forward(d.parameters, d.inputs, d.states, d.lengths)

    @functools.cached_property
    def gradients(self) -> Gradients:
        """The subject's backward."""
        return self.subject.backward(self.run, self.arrays.d_outputs, self.arrays.d_finals)

    @functools.cached_property
    def values(self) -> Values:
        """The case under the spec's names."""
        d = self.arrays
        return self.subject.values(d.parameters, d.inputs, d.states, self.case.sizes)

    @functools.cached_property
    def expectations(self) -> tuple[Expectation, ...]:
        """What every form that the subject may compute by gives for these numbers, the printed form first."""
        d_outputs, d_finals = self.spec_cotangents
        programs = forms(self.subject.spec, self.options.alternatives)
        return tuple(expect(program, self.values, d_outputs, d_finals, self.rounding) for program in programs)

    @functools.cached_property
    def bounded(self) -> BallArithmetic:
        """Balls that hold the subject's rounding, for equations on the subject's own operands."""
        return BallArithmetic(self.rounding)

    @functools.cached_property
    def balls(self) -> Trajectory[Array]:
        """The spec's values over the sequence, with their rounding bounds; read-only."""
        return widest_trajectory([expectation.trajectory for expectation in self.expectations])

    @functools.cached_property
    def gradient_balls(self) -> dict[str, Array]:
        """Every gradient's true value with its rounding bound, by flat name."""
        with self.bounded.scope():
            tables = [self.gathered(expectation.cotangents) for expectation in self.expectations]
            return {name: widest([table[name] for table in tables]) for name in tables[0]}

    @property
    def spec_cotangents(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """Output and final-state cotangents under the spec's names."""
        d_finals = {name: self.arrays.d_finals[source] for name, source in self.subject.states.items()}
        return {self.subject.output_name: self.arrays.d_outputs}, d_finals

    def differentiate(
        self, trajectory: Trajectory[StoredT], arithmetic: Arithmetic[StoredT, OpenT]
    ) -> Cotangents[StoredT]:
        """Run the derived backward.

        Args:
            trajectory: the spec's values over the sequence, in that arithmetic.
            arithmetic: in which the gradients are computed.
        """
        d_outputs, d_finals = self.spec_cotangents
        return differentiate(derive(self.program), trajectory, d_outputs, d_finals, arithmetic)

    def gathered(self, cotangents: Cotangents[Array]) -> dict[str, Array]:
        """Return the spec's cotangents by flat names of the subject: ``inputs``, ``states.h``, ``parameters.W_x``.

        Args:
            cotangents: by the spec's names.

        Returns:
            The cotangents of what the subject has, each in the shape that it has there.
        """
        rows: dict[str, Array] = {}
        by_input = [cotangents.inputs.get(name) for name in self.subject.input_names]
        reached = [_over_time(steps) for steps in by_input if steps]
        if reached and len(reached) == len(by_input):
            rows["inputs"] = reached[0] if len(reached) == 1 else _side_by_side(reached)
        for name, source in self.subject.states.items():
            rows[f"states.{source}"] = cotangents.states[name]
        gathered = self.subject.gradients(cotangents.parameters, self.arrays.parameters)
        return self._present(rows | {f"parameters.{name}": value for name, value in gathered.items()})

    def _present(self, rows: dict[str, Array]) -> dict[str, Array]:
        """Leave out what belongs to parameters and states that the subject does not have."""
        return {name: value for name, value in rows.items() if name.removeprefix("parameters.") not in self.absent}

    @property
    def flat_gradients(self) -> dict[str, Array]:
        """The subject's gradients by flat name."""
        return self._present(flat(self.gradients))

    @property
    def flat_values(self) -> dict[str, Array]:
        """What the gradients are taken for, by the same names."""
        rows = {"inputs": self.arrays.inputs}
        rows |= {f"states.{name}": value for name, value in self.arrays.states.items()}
        return self._present(rows | {f"parameters.{name}": value for name, value in self.arrays.parameters.items()})

    def objective(self, values: Mapping[str, Array], arithmetic: Arithmetic[StoredT, OpenT]) -> Any:
        """Return sum(outputs * d_outputs) + sum(finals * d_finals) of the spec.

        Args:
            values: inputs, states and parameters by flat name; those the subject does not have may be left out.
            arithmetic: in which the sum is computed.
        """
        states = {name: values.get(f"states.{name}", value) for name, value in self.arrays.states.items()}
        parameters = {name: values.get(f"parameters.{name}", v) for name, v in self.arrays.parameters.items()}
        moved = self.subject.values(parameters, values["inputs"], states, self.case.sizes)
        trajectory = evaluate(self.program, moved, arithmetic)
        d_outputs, d_finals = self.spec_cotangents
        finals = final_states(self.program, trajectory)
        with arithmetic.scope():
            total = sum((finals[name] * d_finals[name]).sum() for name in d_finals)
            for name, cotangent in d_outputs.items():
                total = total + (np.array([step[name] for step in trajectory.steps]) * cotangent).sum()
            return total

    @functools.cached_property
    def directions(self) -> dict[str, Array]:
        """A random direction for every value, by flat name, in float64."""
        rng = np.random.default_rng([self.case.seed, 1])
        return {name: rng.standard_normal(np.shape(value)) for name, value in self.flat_values.items()}


def _over_time(steps: Sequence[Array | ArrayBall]) -> Array:
    """Join the values of all steps; array balls, which offer what is done with arrays here, pass for an array."""
    balls = [step for step in steps if isinstance(step, ArrayBall)]
    return cast("Array", stacked(balls)) if balls else np.stack(cast("Sequence[Array]", steps))


def _side_by_side(parts: Sequence[Array | ArrayBall]) -> Array:
    """Join arrays, or array balls, along their last axis."""
    balls = [part for part in parts if isinstance(part, ArrayBall)]
    if not balls:
        return np.concatenate(cast("Sequence[Array]", parts), axis=-1)
    ops = operations_of(balls[0].middle)
    middle = ops.concatenate([ball.middle for ball in balls], axis=-1)
    radius = ops.concatenate([ball.radius for ball in balls], axis=-1)
    return cast("Array", ArrayBall(middle, radius, all(ball.is_exact for ball in balls)))


def flat(gradients: Gradients) -> dict[str, Array]:
    """Return gradients by flat name: ``inputs``, ``states.h``, ``parameters.W_x``.

    Args:
        gradients: what a backward returns; its arrays are not copied.
    """
    rows = {"inputs": gradients.inputs}
    rows |= {f"states.{name}": value for name, value in gradients.states.items()}
    return rows | {f"parameters.{name}": value for name, value in gradients.parameters.items()}
