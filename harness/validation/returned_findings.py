"""Numbers of a candidate that came back for one case, held against the equations in the process that waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case
from rnn_harness.checks.check import Finding, compare_with_array_balls
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.array_bounds import ArrayBounds
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.judging_options import MOST_BIAS_PARTS, NARROW, JudgingOptions
from rnn_harness.kernels.checks.parallel_steps import judge_gradients
from rnn_harness.kernels.spec_signature import SpecSignature
from rnn_harness.references import Gradients, Reference, Run, get_reference
from rnn_harness.specs import Spec
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.subject import Subject
from rnn_harness.validation.returned_numbers import (
    MOST_NUMBERS,
    NumbersReturned,
    ReturnedCase,
    leaves_out_parameters,
)
from rnn_harness.validation.trusted_spec import Contradiction
from rnn_harness.validation.worker_claims import are_too_many


@dataclass(frozen=True)
class Asked:
    """What of the numbers of a case is compared.

    Attributes:
        outputs: Whether the outputs are.
        finals: Whether the final states are.
        gradients: Whether gradients are, where some came back.
        is_nonzero: Whether the equations must give more than zeros, as they do for generic numbers.
        most_parameters: The numbers of parameters of which gradients must have come back.
    """

    outputs: bool = True
    finals: bool = True
    gradients: bool = True
    is_nonzero: bool = False
    most_parameters: int = MOST_NUMBERS


def case_findings(
    spec: Spec, case: Case, numbers: NumbersReturned, returned: ReturnedCase, asked: Asked
) -> Iterator[Finding]:
    """Yield a finding for the outputs, every final state and every gradient of a case.

    Args:
        spec: The equations.
        case: The case, from which the arrays are drawn here.
        numbers: What a worker says of the candidate.
        returned: What the candidate gave on the case.
        asked: What is compared.

    Raises:
        NotRun: A bound is not finite.
        ValueError: What came back is no such array.
        Contradiction: The equations give nothing but zeros.
    """
    evaluation = returned_evaluation(spec, case, numbers, returned)
    bounds, subject = ArrayBounds(evaluation), evaluation.subject
    with np.errstate(all="ignore"):
        if asked.is_nonzero and not bounds.outputs.middle.any():
            raise Contradiction("the equations that it names give nothing but zeros")
        if asked.outputs:
            yield compare_with_array_balls(spec.id, "the output", bounds.outputs, evaluation.run.outputs)
        for name, ball in bounds.finals.items() if asked.finals else ():
            source = subject.states[name]
            if f"finals.{source}" not in subject.absent:
                final = evaluation.run.finals.get(source, np.zeros(0))
                yield compare_with_array_balls(spec.id, f"the final state {source}", ball, final)
        if not asked.gradients or not returned.gradients:
            return
        left_out = leaves_out_parameters(subject.parameter_shapes(case.sizes), asked.most_parameters)
        computed = evaluation.flat_gradients
        for name, ball in bounds.gradients.items():
            if not (left_out and name.startswith("parameters.")):
                gradient = computed.get(name, np.zeros(0))
                finding = compare_with_array_balls(spec.id, f"the gradient of {name}", ball, gradient)
                if finding.agrees or not _is_of_parallel_steps(evaluation, finding, gradient, ball.middle):
                    yield finding


def _is_of_parallel_steps(evaluation: Evaluation, finding: Finding, gradient: Array, expected: Array) -> bool:
    """Say whether rounding of a form of whose gradients no bound is known may have made a difference."""
    if gradient.shape != expected.shape:
        return False
    try:
        judge_gradients(evaluation, replace(finding, error=float(np.abs(gradient - expected).max(initial=0.0))))
    except NotRun:
        return True
    return False


def returned_evaluation(spec: Spec, case: Case, numbers: NumbersReturned, returned: ReturnedCase | None) -> Evaluation:
    """Return an evaluation whose run and gradients are those that came back.

    Args:
        spec: The equations.
        case: The case, from which the arrays are drawn here.
        numbers: What a worker says of the candidate.
        returned: What the candidate gave on the case; None to ask of the case alone.

    Raises:
        NotRun: There are too many parameters.
        ValueError: What came back is no such array.
    """
    link = spec.reference
    reference: Reference = SpecSignature(spec) if link is None else get_reference(link.name, **link.options)
    absent = numbers.absent
    subject = Subject(spec, reference, absent=absent) if link is None else Subject.of(spec, reference, absent)
    operands = UNIT_ROUNDOFF[numbers.dtype] if numbers.dtype in NARROW else None
    is_single = numbers.is_single_inside and numbers.dtype == "float64"
    options = JudgingOptions(
        numbers.alternatives,
        operands,
        numbers.has_absolute_function_error,
        arithmetic="float32" if is_single else "",
        bias_parts=MOST_BIAS_PARTS,
    )
    if are_too_many(subject, case):
        raise NotRun("it has too many parameters for its numbers to be evaluated here")
    evaluation = Evaluation(subject, draw_arrays(case, subject), options)
    if returned is None:
        return evaluation

    def arrays(prefix: str) -> dict[str, Array]:
        rows = returned.gradients.items()
        return {name.removeprefix(prefix): row.array(numbers.dtype) for name, row in rows if name.startswith(prefix)}

    outputs = returned.outputs.array(numbers.dtype)
    finals = {name: row.array(numbers.dtype) for name, row in returned.finals.items()}
    inputs = arrays("inputs").get("", np.zeros(0))
    # Properties of an evaluation that are set are not computed.
    evaluation.__dict__["run"] = Run(outputs, finals, {})
    evaluation.__dict__["gradients"] = Gradients(inputs, arrays("states."), arrays("parameters."))
    return evaluation
