"""A long sequence within proved bounds: every step is judged from the states that the subject itself had before it.

From the start of a sequence a bound grows until it says nothing. But outputs that are states are seen at every step:
from them the next step starts anew, and only states that nobody sees (an LSTM's cell state) are carried on as balls,
which the forget gate keeps small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall, stacked, wider
from rnn_harness.array_types import Array
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.alternative_forms import forms
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.specs.program import Program


def bounds_from_own_states(evaluation: Evaluation) -> ArrayBall:
    """Return the bounds of all outputs (T, B, .), each given the outputs before it that the subject computed itself.

    Args:
        evaluation: A subject on a sequence; it is run.

    Raises:
        NotRun: A state comes from the step after.
    """
    programs = forms(evaluation.subject.spec, evaluation.options.alternatives)
    if any(spec_pass.direction < 0 for program in programs for spec_pass in program.passes):
        raise NotRun("a state that comes from the step after is not known where a step is judged by itself")
    return wider([_bounds_by(evaluation, program) for program in programs])


def _bounds_by(evaluation: Evaluation, program: Program) -> ArrayBall:
    """Return the bounds of the outputs by one form of the equations."""
    arithmetic = ArrayBallArithmetic(evaluation.rounding)
    values, outputs, name = evaluation.values, evaluation.run.outputs, evaluation.subject.output_name
    if set(values.states) == {name} and len(outputs):
        return _bounds_of_seen_steps(evaluation, program, arithmetic)
    with arithmetic.scope():
        parameters = {symbol: arithmetic.array(value) for symbol, value in values.parameters.items()}
        states = {symbol: arithmetic.array(value) for symbol, value in values.states.items()}
        rows = []
        for t in range(values.steps):
            inputs = {symbol: value[t : t + 1] for symbol, value in values.inputs.items()}
            step = evaluate(
                program, Values(_as_arrays(parameters), inputs, _as_arrays(states), values.sizes), arithmetic
            )
            rows.append(step.steps[0][name])
            states = {symbol: step.steps[0][symbol] for symbol in states}
            if name in states:
                states[name] = arithmetic.before_storing(outputs[t])
    return stacked(rows)


def _bounds_of_seen_steps(evaluation: Evaluation, program: Program, arithmetic: ArrayBallArithmetic) -> ArrayBall:
    """Return the bounds of the outputs of a cell whose only state is its output.

    Every state is seen, so that no step needs the bound of another: all steps are the rows of one batch.
    """
    values, outputs, name = evaluation.values, evaluation.run.outputs, evaluation.subject.output_name
    steps, rows = outputs.shape[:2]
    inputs = {symbol: value.reshape(1, steps * rows, -1) for symbol, value in values.inputs.items()}
    with arithmetic.scope():
        initial, seen = arithmetic.array(values.states[name]), arithmetic.before_storing(outputs[:-1])
        before = ArrayBall(
            np.concatenate([initial.middle[None], seen.middle]).reshape(steps * rows, -1),
            np.concatenate([initial.radius[None], seen.radius]).reshape(steps * rows, -1),
        )
        batch = Values(values.parameters, inputs, _as_arrays({name: before}), values.sizes)
        bounds = evaluate(program, batch, arithmetic).steps[0][name]
    return ArrayBall(bounds.middle.reshape(outputs.shape), bounds.radius.reshape(outputs.shape))


def _as_arrays(table: Mapping[str, ArrayBall]) -> Mapping[str, Array]:
    """Pass balls where numbers are expected: the arithmetic takes what is a ball already as it is."""
    return cast("Mapping[str, Array]", table)
