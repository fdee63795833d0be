"""What a cell may give on given numbers, by its equations: the true outputs, and how far rounding may take it off."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall, stacked, wider
from rnn_harness.array_types import Array
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.equality import CellNumbers, family_spec
from rnn_harness.comparison.inputs_side_by_side import input_width, inputs_apart
from rnn_harness.comparison.spec_module import named_spec
from rnn_harness.errors import UsageError
from rnn_harness.evaluation.alternative_forms import forms
from rnn_harness.evaluation.judging_options import MOST_BIAS_PARTS, JudgingOptions
from rnn_harness.records.comparison import MeasuredPrecision
from rnn_harness.records.parameter_map_file import SpecMapFile
from rnn_harness.specs import Spec
from rnn_harness.validation.judging.generated_spec import alternative_ids
from rnn_harness.validation.spec_search.saved_spec_map import from_spec_map_file

FULL_BITS = {"float64": 53.0, "float32": 24.0}
"""The bits of a number; an error of zero shows at least these."""


def described_spec(description: CellDescription) -> Spec:
    """Return the equations of a target that was described.

    Args:
        description: A target that is not unknown.

    Raises:
        UsageError: Its spec is gone.
    """
    cell = description.family_cell
    spec = family_spec(cell) if cell is not None else named_spec(description.spec)
    if spec is None:
        raise UsageError(f"{description.spec!r} is no spec any more; expected the one that {description.target} equals")
    return spec if cell is not None else _as_matched(spec, description)


def _as_matched(spec: Spec, description: CellDescription) -> Spec:
    """Return the spec of a target's map where its constants, or the complement of a gate, are not those of the spec."""
    if not description.map:
        return spec
    matched = from_spec_map_file(SpecMapFile.model_validate_json(description.map), spec.path).spec
    return (
        spec if matched.model.equations == spec.model.equations and _constants(matched) == _constants(spec) else matched
    )


def _constants(spec: Spec) -> dict[str, Fraction]:
    """Return the constants of a spec in numbers."""
    return {name: Fraction(text) for name, text in spec.model.constants.items()}


def output_bounds(description: CellDescription, numbers: CellNumbers, dtype: str, arithmetic: str = "") -> ArrayBall:
    """Bound what a target may give.

    Args:
        description: The target; its faults do not count.
        numbers: The numbers of its equations.
        dtype: The dtype in which it runs.
        arithmetic: The format in which it computes although its numbers are stored in a wider one; empty if in that.

    Returns:
        The outputs (T, B, d).
    """
    spec = described_spec(description)
    is_family = description.family_cell is not None
    alternatives = alternative_ids(spec, with_rare=True) if is_family else ()
    options = JudgingOptions(
        absolute_function_error=description.absolute_function_error, arithmetic=arithmetic, bias_parts=MOST_BIAS_PARTS
    )
    balls = ArrayBallArithmetic(options.rounding(dtype))
    bounds = []
    for program in forms(spec, alternatives):
        parameters = {v.name: numbers.parameters[v.name] for v in program.parameters}
        n = input_width(program, numbers.inputs.shape[2])
        sizes = {"n": n, "d": next(iter(numbers.states.values())).shape[1]}
        values = Values(parameters, inputs_apart(program, numbers.inputs), dict(numbers.states), sizes)
        steps = evaluate(program, values, balls).steps
        bounds.append(stacked([step[program.outputs[0].name] for step in steps]))
    return wider(bounds)


def measured_precision(outputs: Array, bounds: ArrayBall, dtype: str) -> MeasuredPrecision:
    """Measure how precise outputs are, and whether they lie within their bounds.

    Args:
        outputs: What the target gave (T, B, d).
        bounds: What it may give.
        dtype: The dtype in which it ran.
    """
    error = np.abs(outputs - bounds.middle)
    largest = float(np.max(error)) if np.isfinite(error).all() else np.inf
    scale = float(np.max(np.abs(bounds.middle)))
    full = FULL_BITS[dtype]
    bits = full if not largest else float(np.clip(-np.log2(largest / scale), 0, full)) if scale else 0.0
    return MeasuredPrecision(dtype, round(bits, 1), bool((error <= bounds.radius).all()))
