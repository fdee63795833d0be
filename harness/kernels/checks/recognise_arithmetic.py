"""The arithmetic of a kernel that is coarser than its format, recognised by probes and not by the size of the error.

A kernel that shortens the operands of its matrix products is exact again on operands that are short already; one that
approximates its functions is not. So it is run on one step from a zero state, with numbers of 8, 11 and 24 bits.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnn_harness.arithmetic import evaluate
from rnn_harness.arithmetic.assumptions import APPROXIMATE_FUNCTIONS, TF32_OPERANDS, UNIT_ROUNDOFF
from rnn_harness.arithmetic.ball import BallArithmetic, Rounding
from rnn_harness.array_types import Array
from rnn_harness.checks.check import compare_with_balls
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.judging_options import NARROW, rounding

_OPERANDS = ((24, "float32"), (11, "TF32 or float16"), (8, "bfloat16"))
"""Bits of significand that matrix units take, and what they are called."""


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

    Args:
        evaluation: A kernel on a case; it is run again, on operands that a shorter format holds.
    """
    dtype = evaluation.case.dtype
    exact = rounding(dtype)
    if dtype in NARROW:
        return f"sums accumulated in {dtype}" if _agrees_within(evaluation, replace(exact, wide=None)) else ""
    if (
        dtype == "float64"
        and _agrees_within(evaluation, rounding("float32"))
        and not _agrees_within(_probe(evaluation, 24), exact)
    ):
        return "float32 arithmetic"  # if operands alone were shortened, those that float32 holds would be exact
    widths = [(bits, name) for bits, name in _OPERANDS if bits < (53 if dtype == "float64" else 24)]
    shortest = _probe(evaluation, widths[-1][0])
    if _agrees_within(shortest, exact):
        bits, name = next((bits, name) for bits, name in widths if _agrees_within(_probe(evaluation, bits), exact))
        shortened_operands = replace(exact, operands=TF32_OPERANDS if bits == 11 else UNIT_ROUNDOFF[name])
        return (
            f"matrix products of {name} operands ({bits} bits)"
            if _agrees_within(evaluation, shortened_operands)
            else ""
        )
    approximate = replace(exact, functions=APPROXIMATE_FUNCTIONS)
    if _agrees_within(shortest, approximate):
        if _agrees_within(evaluation, approximate):
            return "approximate tanh and sigmoid (about 10 bits)"
        both = replace(approximate, operands=TF32_OPERANDS)
        return "approximate functions and TF32 matrix products" if _agrees_within(evaluation, both) else ""
    coarser = ("float32", "float16", "bfloat16")[0 if dtype == "float64" else 1 :]
    return next((f"{name} arithmetic" for name in coarser if _agrees_within(evaluation, rounding(name))), "")
