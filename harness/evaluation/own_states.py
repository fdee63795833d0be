"""A long sequence within proved bounds: every step is judged from the states that the subject itself had before it.

From the start of a sequence a bound grows until it says nothing. But outputs that are states are seen at every step:
from them the next step starts anew, and only states that nobody sees (an LSTM's cell state) are carried on as balls,
which the forget gate keeps small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall, joined, stacked, wider
from rnn_harness.array_types import Array
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.alternative_forms import forms
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.steps_apart import SeenPass
from rnn_harness.specs.expression import Variable
from rnn_harness.specs.program import Pass, Program


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
    if len(program.passes) == 1 and len(outputs):
        return _bounds_by_pass(evaluation, program.passes[0], arithmetic)
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


def _bounds_by_pass(evaluation: Evaluation, pass_: Pass, arithmetic: ArrayBallArithmetic) -> ArrayBall:
    """Return the bounds of the outputs of a program of one pass, in which as many steps as may be are one batch."""
    values, outputs, name = evaluation.values, evaluation.run.outputs, evaluation.subject.output_name
    steps, rows = outputs.shape[:2]
    with arithmetic.scope():
        seen, shown = {}, _shown_state(pass_, name)
        if shown in values.states:
            before = [arithmetic.array(values.states[shown])]
            if steps > 1:
                before.append(arithmetic.before_storing(outputs[:-1].reshape((steps - 1) * rows, -1)))
            seen[shown] = joined(before)
        known = SeenPass(
            pass_,
            {symbol: arithmetic.array(value) for symbol, value in values.parameters.items()},
            {symbol: arithmetic.array(value.reshape(steps * rows, -1)) for symbol, value in values.inputs.items()},
            seen,
            {symbol: arithmetic.array(value) for symbol, value in values.states.items() if symbol not in seen},
            values.sizes,
            steps,
        )
        bounds = known.value(name, arithmetic)
    return ArrayBall(bounds.middle.reshape(outputs.shape), bounds.radius.reshape(outputs.shape))


def _shown_state(pass_: Pass, name: str) -> str:
    """Return the name of the state that an output is: of itself, or of what it is set equal to (y = h)."""
    expression = next((a.expression for a in pass_.assignments if a.target.name == name), None)
    return expression.name if isinstance(expression, Variable) and expression.time == 0 else name


def _as_arrays(table: Mapping[str, ArrayBall]) -> Mapping[str, Array]:
    """Pass balls where numbers are expected: the arithmetic takes what is a ball already as it is."""
    return cast("Mapping[str, Array]", table)
