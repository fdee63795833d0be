"""The arithmetic of a kernel that is coarser than its format, recognised by probes and not by the size of the error.

A kernel that shortens the operands of its matrix products is exact again on operands that are short already; one that
approximates its functions is not. So it is run on one step from a zero state, with numbers of 8, 11 and 24 bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from rnn_harness.arithmetic import NumpyArithmetic, Trajectory, Values, evaluate
from rnn_harness.arithmetic.assumptions import (
    APPROXIMATE_FUNCTIONS,
    COARSE_CONTROL_BITS,
    NOISE_SHARE,
    PARTLY_COARSE_BITS,
    TF32_OPERANDS,
    UNIT_ROUNDOFF,
)
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.compare import effective_bits, middle
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.array_types import Array
from rnn_harness.checks.check import compare_with_balls
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.judging_options import NARROW, rounding
from rnn_harness.specs.expression import Apply, walk

_OPERANDS = ((24, "float32"), (11, "TF32 or float16"), (8, "bfloat16"))
"""Bits of significand that matrix units take, and what they are called."""
SIGNIFICAND_BITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}
"""Bits of significand of the formats, the leading bit included."""
_APPROXIMATE_BITS = 11
"""Bits of the hardware's approximate functions."""


def round_significand(values: Array, bits: int) -> Array:
    """Round to fewer bits of significand, in the same dtype.

    Args:
        values: Numbers of any shape.
        bits: Bits of significand, the leading bit included.
    """
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.rint(mantissa * 2.0**bits) / 2.0**bits, exponent).astype(values.dtype)


def _agrees_within(evaluation: Evaluation, rounding: Rounding) -> bool:
    """Say whether the outputs lie in the bound of a rounding."""
    name = evaluation.subject.output_name
    steps = evaluate(evaluation.program, evaluation.values, BallArithmetic(rounding)).steps
    return compare_with_balls("", "", np.stack([step[name] for step in steps]), evaluation.run.outputs).agrees


def _probe(evaluation: Evaluation, bits: int) -> Evaluation:
    """Evaluate one step from a zero state, on numbers of so many bits."""
    d = evaluation.arrays
    return evaluation.on(
        replace(
            d,
            case=d.case.model_copy(update={"T": 1}),
            parameters={name: round_significand(value, bits) for name, value in d.parameters.items()},
            inputs=round_significand(d.inputs[:1], bits),
            states={name: np.zeros_like(value) for name, value in d.states.items()},
            d_outputs=d.d_outputs[:1],
        )
    )


def recognise(evaluation: Evaluation) -> str:
    """Name the arithmetic of a kernel that is outside its bound; empty if no known arithmetic explains it.

    A format is named only if the outputs have the bits of that format: what is far more precise, or far less, was not
    computed in it, even if its wide bounds hold.

    Args:
        evaluation: A kernel on a case; it is run again, on operands that a shorter format holds.
    """
    dtype = evaluation.case.dtype
    exact = replace(evaluation.rounding, operands=None)
    if dtype in NARROW:
        return f"sums accumulated in {dtype}" if _agrees_within(evaluation, replace(exact, wide=None)) else ""
    bits = output_bits(evaluation)
    if (
        dtype == "float64"
        and _is_float32(evaluation, bits)
        and _agrees_within(evaluation, rounding("float32"))
        and not _agrees_within(_probe(evaluation, 24), exact)
    ):
        return "float32 arithmetic"  # if operands alone were shortened, those that float32 holds would be exact
    own = SIGNIFICAND_BITS[dtype]
    widths = [(width, name) for width, name in _OPERANDS if width < own and bits <= width + PARTLY_COARSE_BITS]
    shortest = _probe(evaluation, _OPERANDS[-1][0])
    if _agrees_within(shortest, exact):
        return _shortened_operands(evaluation, exact, widths)
    if bits <= _APPROXIMATE_BITS + PARTLY_COARSE_BITS:
        approximate = replace(exact, functions=APPROXIMATE_FUNCTIONS)
        if _agrees_within(evaluation, approximate):
            return "approximate tanh and sigmoid (about 10 bits)"
        both = replace(approximate, operands=TF32_OPERANDS)
        if _agrees_within(shortest, approximate) and _agrees_within(evaluation, both):
            return "approximate functions and TF32 matrix products"
    coarser = ("float16", "bfloat16")
    named = [name for name in coarser if bits <= SIGNIFICAND_BITS[name] + PARTLY_COARSE_BITS]
    format_name = next((name for name in named if _agrees_within(evaluation, rounding(name))), "")
    return f"{format_name} arithmetic" if format_name else _inexact_functions(evaluation, exact, bits)


def output_bits(evaluation: Evaluation) -> float:
    """Return the effective precision of the outputs.

    Args:
        evaluation: A kernel's run and the balls of its spec, over T steps.

    Returns:
        Bits of the outputs (T, B, k) that agree with the true values; infinite where all do.
    """
    return effective_bits(_output_balls(evaluation.balls, evaluation), evaluation.run.outputs)


def _output_balls(trajectory: Trajectory[Array], evaluation: Evaluation) -> Array:
    return np.stack([step[evaluation.subject.output_name] for step in trajectory.steps])


def _is_float32(evaluation: Evaluation, bits: float) -> bool:
    """Say whether the outputs have the bits that the same equations have in float32, and errors as rounding makes them.

    A wrong constant may be of that size, too.
    """
    computed = evaluate(evaluation.program, _in_float32(evaluation), NumpyArithmetic(np.float32))
    control = effective_bits(
        _output_balls(evaluation.balls, evaluation), _output_balls(computed, evaluation).astype(np.float64)
    )
    return _are_bits_of_float32(bits, control) and _is_noise(
        _output_errors(evaluation), _output_errors(_moved(evaluation))
    )


def _are_bits_of_float32(bits: float, control: float) -> bool:
    """Say whether a result is as precise as float32 makes it.

    Args:
        bits: The effective precision of the result.
        control: That of the same equations in float32.
    """
    return control - COARSE_CONTROL_BITS <= bits <= SIGNIFICAND_BITS["float32"] + PARTLY_COARSE_BITS


def are_float32_gradients(evaluation: Evaluation) -> bool:
    """Say whether gradients in float64 have the bits that float32 gives, and errors as rounding makes them.

    Args:
        evaluation: A candidate whose gradients leave the bound of float64.
    """
    arithmetic = NumpyArithmetic(np.float32)
    trajectory = evaluate(evaluation.program, _in_float32(evaluation), arithmetic)
    control = _gradient_bits(evaluation, evaluation.gathered(evaluation.differentiate(trajectory, arithmetic)))
    bits = _gradient_bits(evaluation, evaluation.flat_gradients)
    errors, moved_errors = _gradient_errors(evaluation), _gradient_errors(_moved(evaluation))
    return _are_bits_of_float32(bits, control) and _is_noise(errors, moved_errors)


def _gradient_bits(evaluation: Evaluation, gradients: Mapping[str, Array]) -> float:
    """Return the effective precision of gradients by flat name: the worst of all."""
    rows = evaluation.gradient_balls.items()
    return min(effective_bits(balls, np.asarray(gradients[name], dtype=np.float64)) for name, balls in rows)


def _in_float32(evaluation: Evaluation) -> Values:
    """Give the numbers of an evaluation in float32."""
    values = evaluation.values

    def rounded(table: Mapping[str, Array]) -> dict[str, Array]:
        return {name: np.asarray(value, dtype=np.float32) for name, value in table.items()}

    return replace(
        values, parameters=rounded(values.parameters), inputs=rounded(values.inputs), states=rounded(values.states)
    )


def _moved(evaluation: Evaluation) -> Evaluation:
    """Evaluate numbers that are larger by a few roundings of float32."""
    factor = 1 + 16 * float(UNIT_ROUNDOFF["float32"])
    arrays = evaluation.arrays
    parameters = {name: value * factor for name, value in arrays.parameters.items()}
    return evaluation.on(replace(arrays, parameters=parameters, inputs=arrays.inputs * factor))


def _output_errors(evaluation: Evaluation) -> Array:
    return (evaluation.run.outputs - middle(_output_balls(evaluation.balls, evaluation))).ravel()


def _gradient_errors(evaluation: Evaluation) -> Array:
    gradients = evaluation.flat_gradients
    errors = [(gradients[name] - middle(balls)).ravel() for name, balls in evaluation.gradient_balls.items()]
    return np.concatenate(errors)


def _is_noise(errors: Array, moved_errors: Array) -> bool:
    """Say whether errors change as those of rounding do where the numbers change by a little."""
    return bool(NOISE_SHARE * np.abs(errors - moved_errors).max(initial=0.0) >= np.abs(errors).max(initial=0.0))


def _shortened_operands(evaluation: Evaluation, exact: Rounding, widths: Sequence[tuple[int, str]]) -> str:
    """Name the operands of a kernel that is exact on operands of 8 bits."""
    for bits, name in widths:
        if _agrees_within(_probe(evaluation, bits), exact):
            roundoff = TF32_OPERANDS if bits == 11 else UNIT_ROUNDOFF[name]
            explains = _agrees_within(evaluation, replace(exact, operands=roundoff))
            return f"matrix products of {name} operands ({bits} bits)" if explains else ""
    return ""


def _inexact_functions(evaluation: Evaluation, exact: Rounding, bits: float) -> str:
    """Say how accurate functions explain the outputs, if functions do; empty if not."""
    if bits < _APPROXIMATE_BITS:
        return ""  # no library's functions are so inexact: something is wrong
    most = int(min(bits, SIGNIFICAND_BITS[evaluation.case.dtype])) + 3
    for accuracy in range(most, max(most - 9, 1), -1):
        error = Fraction(1, 2**accuracy)
        if _agrees_within(evaluation, replace(exact, functions=error, absolute=error)):
            # A bound holds the worst that can be: what is measured may be less accurate than it has to be.
            return f"{_function_names(evaluation)} accurate to about {min(accuracy, round(bits))} bits"
    return ""


def _function_names(evaluation: Evaluation) -> str:
    nodes = (node for assignment in evaluation.program.assignments for node in walk(assignment.expression))
    functions = {node.function.value for node in nodes if isinstance(node, Apply)}
    return " or ".join(sorted(functions & {"tanh", "sigmoid"})) or "functions"
