"""Are a candidate's functions accurate against their own value, or against 1 alone?

``2 sigmoid(2a) - 1`` is tanh, and ``(1 + tanh(a / 2)) / 2`` is the sigmoid; but near zero the one, and far below zero
the other, is off by a rounding error of 1, not of its own small value. That is no mistake in the cell: it is judged by
a bound for such functions, and its records say so. Whether it has such functions is measured on numbers that decide it,
the same for every seed: pre-activations near zero, and gates that are nearly closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.assumptions import NEAR_ZERO
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case
from rnn_harness.checks.backward import bound as backward_bound
from rnn_harness.checks.check import Finding, compare_with_balls
from rnn_harness.errors import NotRun, first_line
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.kernels.judge import blank_record
from rnn_harness.records.record import Record
from rnn_harness.records.validation import FUNCTIONS_CHECK
from rnn_harness.records.verdict import Outcome
from rnn_harness.specs.expression import Apply, Function, walk
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.parameter_role import ParameterKind, find_role
from rnn_harness.validation.judging.generated_spec import alternative_ids

_CASE_SEED = 11
_CLOSING_FACTORS = (2.0, 8.0)
"""How many times the usual size the weights are that close a gate."""
_LEFT_OPEN = ("i", "f")
"""Gates that are not closed, since they feed a tanh: what is near zero then would be the tanh."""


@dataclass(frozen=True)
class FunctionAccuracy:
    """How accurate a candidate's functions are in one setting.

    Attributes:
        is_absolute: Whether they are accurate against 1 alone.
        bits: The effective precision of outputs or gradients where a function is near 0, by the function in words.
        not_measured: Why it could not be measured; empty if it could.
    """

    is_absolute: bool = False
    bits: tuple[tuple[str, float], ...] = ()
    not_measured: str = ""

    def sentence(self) -> str:
        """Say how the functions are accurate against 1 alone; empty if they are not."""
        if not self.is_absolute:
            return ""
        where = ", ".join(f"{words} has {bits:.1f} bits" for words, bits in self.bits)
        return f"accurate against 1, not against their own value: {where}"


def measure_function_accuracy(kernel: Kernel, setting: Setting) -> FunctionAccuracy:
    """Measure a candidate's functions on the numbers that decide how accurate they are.

    Args:
        kernel: The candidate.
        setting: The dtype, and the device.
    """
    bits: dict[str, float] = {}
    try:
        with np.errstate(all="ignore"):
            for function, arrays in _deciding_arrays(kernel, setting):
                comparison = _Comparison(kernel, setting, arrays)
                if comparison.outside_any:
                    return FunctionAccuracy(not_measured=f"{function} is outside the bound for any such function")
                if comparison.bits is not None:
                    bits[function] = min(comparison.bits, bits.get(function, comparison.bits))
    except NotRun as reason:
        return FunctionAccuracy(not_measured=str(reason))
    except Exception as error:  # a candidate may raise anything; the checks that follow meet it again, and report it
        return FunctionAccuracy(not_measured=f"it raises {type(error).__name__}: {first_line(error)}")
    return FunctionAccuracy(bool(bits), tuple(bits.items()))


class _Comparison:
    """What a candidate computes of some numbers, against both bounds.

    Attributes:
        outside_any: Whether the outputs are outside the bound for functions accurate against 1, too.
        bits: The effective precision of what is outside the bound for functions accurate against their own value, and
            inside the other; None if nothing is. Wrong gradients are none of it: they say nothing about functions.
    """

    def __init__(self, kernel: Kernel, setting: Setting, arrays: CaseArrays) -> None:
        relative = replace(kernel, absolute_function_error=False)
        absolute = replace(kernel, absolute_function_error=True)
        evaluation = Evaluation(kernel.subject(setting), arrays, relative.options(setting))
        self.outside_any = False
        self.bits: float | None = None
        for find in (_output_finding, _gradient_finding):
            finding = find(evaluation)
            if finding is None or finding.agrees:
                continue
            wide = find(evaluation.judged_with(absolute.options(setting)))
            if wide is not None and wide.agrees:
                bits = finding.bits or 0.0
                self.bits = bits if self.bits is None else min(bits, self.bits)
            elif find is _output_finding:
                self.outside_any = True
                return


def _output_finding(evaluation: Evaluation) -> Finding | None:
    """Compare the outputs with their bound."""
    balls = np.stack([step[evaluation.subject.output_name] for step in evaluation.balls.steps])
    return compare_with_balls(evaluation.subject.spec.id, "output", balls, evaluation.run.outputs)


def _gradient_finding(evaluation: Evaluation) -> Finding | None:
    """Compare the gradients with their bounds; None where there are none."""
    try:
        return next(backward_bound(evaluation))
    except NotRun:
        return None


def accuracy_record(kernel: Kernel, setting: Setting, seed: int, accuracy: FunctionAccuracy) -> Record:
    """Make the record of what was measured.

    Args:
        kernel: The candidate.
        setting: The dtype, and the device.
        seed: From which cases are drawn.
        accuracy: What was measured.
    """
    return blank_record(kernel, setting, FUNCTIONS_CHECK, seed).model_copy(
        update={
            "outcome": Outcome.NOT_RUN if accuracy.not_measured else Outcome.AGREES,
            "reason": accuracy.not_measured or accuracy.sentence(),
            "bits": min((bits for _, bits in accuracy.bits), default=None),
            "examples": 0 if accuracy.not_measured else 1 + len(_CLOSING_FACTORS),
        }
    )


def wider_kernels(kernel: Kernel) -> Iterator[Kernel]:
    """Yield a candidate with what else it may round as a right one: by rarer forms, then by functions put together.

    Args:
        kernel: The candidate, as it was judged.
    """
    alternatives = alternative_ids(kernel.specification, with_rare=True)
    rare = replace(kernel, alternatives=alternatives)
    if set(alternatives) != set(kernel.alternatives):
        yield rare
    if not kernel.absolute_function_error:
        yield replace(rare, absolute_function_error=True)


def _deciding_arrays(kernel: Kernel, setting: Setting) -> Iterator[tuple[str, CaseArrays]]:
    """Yield the numbers that decide how accurate a function is, with the function in words."""
    case = Case(spec=kernel.spec, dtype=setting.dtype, n=2, d=3, B=2, T=2, seed=_CASE_SEED)  # type: ignore[arg-type]
    evaluation = kernel.evaluation(setting, case.model_copy(update=kernel.fixed_sizes or {}))
    nodes = (node for assignment in evaluation.program.assignments for node in walk(assignment.expression))
    functions = {node.function for node in nodes if isinstance(node, Apply)}
    arrays = evaluation.arrays
    yield "tanh near 0" if Function.TANH in functions else "what is near 0", _near_zero(arrays)
    far_below = "the sigmoid far below 0" if Function.SIGMOID in functions else "what is far below 0"
    for factor in _CLOSING_FACTORS:
        yield far_below, _nearly_closed(arrays, factor)


def _near_zero(arrays: CaseArrays) -> CaseArrays:
    """Give numbers with which every pre-activation is near zero."""
    return replace(
        arrays,
        parameters={name: _scaled(value, NEAR_ZERO) for name, value in arrays.parameters.items()},
        states={name: _scaled(value, NEAR_ZERO) for name, value in arrays.states.items()},
    )


def _nearly_closed(arrays: CaseArrays, factor: float) -> CaseArrays:
    """Give positive inputs and negative input weights: the gates are nearly closed, their candidate is as usual.

    A simple RNN, and a cell whose parameters have names of their own, has nothing but gates.
    """
    n = arrays.inputs.shape[2]
    parameters = dict(arrays.parameters)
    for name, value in arrays.parameters.items():
        role = find_role(name)
        if role is None:
            closes = value.ndim == 2 and value.shape[1] == n
        else:
            closes = role.kind is ParameterKind.INPUT and role.gate not in ("g", *_LEFT_OPEN)
        if closes:
            parameters[name] = _scaled(abs(value) + value.dtype.type(0.5), -factor)
    return replace(arrays, parameters=parameters, inputs=abs(arrays.inputs) + arrays.inputs.dtype.type(1))


def _scaled(value: Array, factor: float) -> Array:
    scaled: Array = value * value.dtype.type(factor)
    return scaled
