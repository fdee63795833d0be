"""Whether a competitor's numbers are right at the point where it is timed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from rnn_harness.arithmetic import evaluate
from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.array_types import Array
from rnn_harness.checks.check import compare_with_balls
from rnn_harness.evaluation.judging_options import rounding
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.subject import LAYERS, Subject


def wrong_number(subject: Subject, arrays: CaseArrays, operands: Fraction | None = None) -> str | None:
    """Find what is wrong with a subject's numbers.

    The last step is compared with its ball, from the subject's own state before it; the gradients with those of the
    reference in float64.

    Args:
        subject: A reference or kernel at the sizes at which it will be timed.
        arrays: The parameters, inputs, states and output gradients that it is timed with.
        operands: How far it openly shortens each operand of a product, relatively; None if it does not.

    Returns:
        None where the numbers are right, else a sentence.
    """
    rows = slice(0, 2)
    cell = subject.cell
    before = cell.forward(arrays.parameters, arrays.inputs[:-1], arrays.states).finals
    run = cell.forward(arrays.parameters, arrays.inputs, arrays.states)
    states = {name: state[rows] for name, state in before.items()}
    values = subject.values(arrays.parameters, arrays.inputs[-1:, rows], states, arrays.case.sizes)
    step = evaluate(subject.spec.program(LAYERS), values, BallArithmetic(rounding(arrays.case.dtype, operands))).steps[
        0
    ]
    for symbol, state in subject.states.items():
        name = f"state {state} after the last step"
        finding = compare_with_balls(subject.spec.id, name, step[symbol], run.finals[state][rows])
        if not finding.agrees:
            return finding.detail
    screen = max(SCREEN_SINGLE, float(operands or 0) ** 0.5)
    gradients = cell.backward(run, arrays.d_outputs, arrays.d_finals).parameters
    for name, gradient in _reference_gradients(subject, arrays).items():
        size = float(np.abs(gradient).max())
        if float(np.abs(gradients[name] - gradient).max()) > screen * size:
            return f"the gradient of {name} is off by more than {screen:.2g} of its largest entry"
    return None


def _reference_gradients(subject: Subject, arrays: CaseArrays) -> dict[str, Array]:
    """Return the parameters' gradients of the reference in float64."""
    cell = Subject.of(subject.spec).cell

    def widen(values: dict[str, Array]) -> dict[str, Array]:
        return {name: array.astype(np.float64) for name, array in values.items()}

    run = cell.forward(widen(arrays.parameters), arrays.inputs.astype(np.float64), widen(arrays.states))
    return cell.backward(run, arrays.d_outputs.astype(np.float64), widen(arrays.d_finals)).parameters
