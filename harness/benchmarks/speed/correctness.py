"""Whether a competitor's numbers are right at the point where it is timed."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from rnn_harness.arithmetic import evaluate
from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.numpy_arithmetic import NumpyArithmetic
from rnn_harness.array_types import Array
from rnn_harness.checks.check import compare_with_balls
from rnn_harness.derivatives import derive, differentiate
from rnn_harness.evaluation.judging_options import rounding
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.subject import LAYERS, Subject


def wrong_number(subject: Subject, arrays: CaseArrays, operands: Fraction | None = None) -> str | None:
    """Find what is wrong with a subject's numbers.

    The last step is compared with its ball, from the subject's own state before it; the gradients with those of the
    reference in float64 or, where there is none, of the backward that is derived from the equations.

    Args:
        subject: A reference or kernel at the sizes at which it will be timed.
        arrays: The parameters, inputs, states and output gradients that it is timed with, those of the states where the
            spec has an output layer.
        operands: How far it openly shortens each operand of a product, relatively; None if it does not.

    Returns:
        None where the numbers are right, else a sentence.
    """
    rows = slice(0, 2)
    cell = subject.cell
    before = cell.forward(arrays.parameters, arrays.inputs[:-1], arrays.states).finals
    run = cell.forward(arrays.parameters, arrays.inputs, arrays.states)
    states = {name: state[rows] for name, state in before.items()}
    parameters = arrays.parameters | _output_layer_of_zeros(subject, arrays)
    values = subject.values(parameters, arrays.inputs[-1:, rows], states, arrays.case.sizes)
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


def _output_layer_of_zeros(subject: Subject, arrays: CaseArrays) -> dict[str, Array]:
    """Return what the equations of an output layer need, on which no state depends; nothing where there is none."""
    if subject.output is None:
        return {}
    shapes = subject.output.parameter_shapes(subject.width * arrays.case.d, arrays.case.k)
    return {name: np.zeros(shape, arrays.inputs.dtype) for name, shape in shapes.items()}


def _reference_gradients(subject: Subject, arrays: CaseArrays) -> Mapping[str, Array]:
    """Return the parameters' gradients in float64, of the reference or else of the derived backward."""

    def widen(values: Mapping[str, Array]) -> dict[str, Array]:
        return {name: array.astype(np.float64) for name, array in values.items()}

    parameters, inputs, states = widen(arrays.parameters), arrays.inputs.astype(np.float64), widen(arrays.states)
    d_outputs, d_finals = arrays.d_outputs.astype(np.float64), widen(arrays.d_finals)
    if subject.spec.reference is None:
        program, arithmetic = subject.spec.program(LAYERS), NumpyArithmetic()
        values = subject.values(parameters, inputs, states, arrays.case.sizes)
        trajectory = evaluate(program, values, arithmetic)
        return differentiate(
            derive(program), trajectory, {subject.output_name: d_outputs}, d_finals, arithmetic
        ).parameters
    cell = Subject.of(subject.spec).cell
    run = cell.forward(parameters, inputs, states)
    return cell.backward(run, d_outputs, d_finals).parameters
