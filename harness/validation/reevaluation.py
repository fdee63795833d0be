"""The verdict in the process that waits: numbers that came back from a worker, held against the equations here.

A candidate's code can change this package, NumPy and torch in its worker, and so whatever is decided there. Here it
changes nothing: the cases are drawn here, the equations are those that are shipped, the user's, or written here, and so
are the bounds. What the worker decides by many more cases counts only where this agrees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case, Dtype
from rnn_harness.checks.check import Finding, compare_with_array_balls, worst_finding
from rnn_harness.errors import HarnessError, NotRun
from rnn_harness.evaluation.array_bounds import ArrayBounds
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.judging_options import NARROW, JudgingOptions
from rnn_harness.kernels.spec_signature import SpecSignature
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.validation import (
    CONSISTENCY,
    NOT_ABOUT_NUMBERS,
    NUMBERS_CHECK,
    PART_CHECK,
    PROCESS_CHECK,
    WIRING_CHECKS,
    outcome_of,
)
from rnn_harness.records.verdict import Outcome
from rnn_harness.references import Gradients, Reference, Run, get_reference
from rnn_harness.specs import Spec, SpecError, library, literature, load_spec
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.subject import Subject
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.judging.generated_spec import generate_spec, with_alternative_updates
from rnn_harness.validation.request import ValidationRequest
from rnn_harness.validation.returned_numbers import (
    NumbersReturned,
    ReturnedCase,
    leaves_out_parameters,
    reevaluated_cases,
)
from rnn_harness.validation.worker_claims import are_too_many, disbelieved


class Contradiction(Exception):
    """What a worker said of a candidate, and the numbers that it returned, do not go together."""


def reevaluate(
    records: Sequence[Record], returned: Sequence[NumbersReturned], request: ValidationRequest
) -> list[Record]:
    """Hold numbers that came back against the equations, wherever a worker says that a candidate agrees with them.

    Args:
        records: All records of a validation.
        returned: What the workers returned.
        request: What was asked for.

    Returns:
        A record for each candidate and dtype of which the worker says that its numbers agree: it agrees, or is not run
        where the numbers do not say so; then nothing is decided.
    """
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if _is_about_equations(record) and record.outcome is Outcome.AGREES:
            groups.setdefault((record.kernel, record.dtype), []).append(record)
    by_key = {(numbers.kernel, numbers.dtype): numbers for numbers in returned}
    ended = any(record.check == PROCESS_CHECK and record.outcome is not Outcome.AGREES for record in records)
    made = []
    for key, agreeing in groups.items():
        numbers = by_key.get(key)
        if numbers is None and ended:
            continue  # the record of how its process ended says why
        made.append(_record_of(agreeing, numbers, records, request))
    if not made and outcome_of(records) == "agrees":
        made = [_record_without_numbers(next(r for r in records if r.outcome is Outcome.AGREES), request)]
    return made


def _record_without_numbers(agreeing: Record, request: ValidationRequest) -> Record:
    """Make the record of a model that its own process says to agree, and of which no numbers came back."""
    reason = (
        f"its process said that {agreeing.check} agrees, but no numbers of a recurrent part came back that could be "
        "evaluated here"
    )
    return Record(
        entry="unknown",
        spec="unknown",
        check=NUMBERS_CHECK,
        witness="kernel",
        outcome=Outcome.NOT_RUN,
        reason=reason,
        seed=request.seed,
        environment=versions(),
        kernel=request.target,
    )


def _is_about_equations(record: Record) -> bool:
    """Say whether a record is of what a candidate computes, by the equations of a spec."""
    others = (CONSISTENCY, WIRING_CHECKS, PART_CHECK)
    return record.check not in NOT_ABOUT_NUMBERS and not record.check.startswith(others)


def _record_of(
    agreeing: Sequence[Record], numbers: NumbersReturned | None, records: Sequence[Record], request: ValidationRequest
) -> Record:
    """Make the record of one candidate in one dtype."""
    first = agreeing[0]
    blank = Record(
        entry=first.entry if first.entry == first.spec else first.spec,
        spec=first.spec,
        check=NUMBERS_CHECK,
        witness="kernel",
        outcome=Outcome.NOT_RUN,
        seed=request.seed,
        environment=versions(),
        kernel=first.kernel,
        dtype=first.dtype,
        device=first.device,
    )
    refuted = {record.check for record in records if _is_of(record, first) and record.outcome is Outcome.REFUTED}
    try:
        if numbers is None:
            raise Contradiction("no numbers came back with them")
        finding = _finding(agreeing, numbers, request, refuted)
    except Contradiction as contradiction:
        reason = (
            f"its process said that {len(agreeing)} checks agree, but {contradiction}; this happens where a candidate "
            "changes what judges it"
        )
        return blank.model_copy(update={"reason": reason})
    except NotRun as undecided:
        return blank.model_copy(update={"reason": str(undecided), "outcome": Outcome.VACUOUS})
    except Exception as error:  # an error here says nothing of the candidate
        failure = HarnessError.of(error)
        return blank.model_copy(update={"reason": str(failure), "harness_error": failure.traceback_text})
    update = {
        "outcome": Outcome.AGREES,
        "examples": len(numbers.cases),
        "error_over_bound": finding.error_over_bound,
        "worst_error": finding.error,
        "bound": finding.bound,
        "reason": _sentence(numbers),
    }
    return blank.model_copy(update=update)


def _is_of(record: Record, other: Record) -> bool:
    """Say whether two records are of the same candidate in the same dtype."""
    return (record.kernel, record.dtype) == (other.kernel, other.dtype)


def _sentence(numbers: NumbersReturned) -> str:
    """Say what was compared, and with what."""
    gradients = " and gradients" if numbers.cases[0].gradients else ""
    inside = ", by what float32 rounds" if numbers.is_single_inside else ""
    written = "; ".join(equation.printed for equation in numbers.spec.equations if not equation.alternative)
    against = f" of {written}" if numbers.generated is not None else ""
    return (
        f"outputs{gradients} that came back for cases drawn in this process lie in their bounds here{inside}{against}"
    )


def _finding(
    agreeing: Sequence[Record], numbers: NumbersReturned, request: ValidationRequest, refuted: set[str]
) -> Finding:
    """Return the worst finding of all cases.

    Raises:
        Contradiction: The numbers are not those of the spec, or are none, or what is said beside them cannot be so.
        NotRun: No bound is finite, in a narrow format or by equations of the user's.
    """
    spec = trusted_spec(numbers, request)
    if other := sorted({record.spec for record in agreeing} - {spec.id}):
        raise Contradiction(f"they are of {', '.join(other)}, and the numbers of {spec.id}")
    if untrue := next(disbelieved(numbers, spec), ""):
        raise Contradiction(untrue)
    cases = reevaluated_cases(spec.id, cast("Dtype", numbers.dtype), request.seed, numbers.sizes)
    if len(cases) != len(numbers.cases):
        raise Contradiction(f"{len(numbers.cases)} cases came back of {len(cases)}")
    needs_gradients = any(record.check.startswith("backward.") for record in agreeing)
    judges_forward = not any(check.startswith(("forward.", "precision.")) for check in refuted)
    judges_backward = judges_forward and not any(check.startswith("backward.") for check in refuted)
    findings: list[Finding] = []
    undecided: NotRun | None = None
    for case, returned in zip(cases, numbers.cases, strict=True):
        if needs_gradients and not returned.gradients:
            raise Contradiction("no gradients came back")
        try:
            rows = list(_case_findings(spec, case, numbers, returned, judges_backward))
        except NotRun as reason:
            if numbers.dtype not in NARROW and not request.spec.endswith(".toml"):
                raise Contradiction(f"of {spec.id} {reason}") from None  # every shipped one has bounds there
            undecided = reason
            continue
        except (ValueError, TypeError) as error:
            raise Contradiction(f"what came back is no numbers of it ({error})") from None
        findings += rows if judges_forward else []
    if not findings:
        raise undecided or NotRun("a refutation that was expected is all that these numbers could show")
    worst = worst_finding(findings)
    if not worst.agrees:
        raise Contradiction(f"on numbers that came back {worst.detail}")
    return worst


def _case_findings(
    spec: Spec, case: Case, numbers: NumbersReturned, returned: ReturnedCase, with_gradients: bool
) -> Iterator[Finding]:
    """Yield a finding for the outputs, every final state and every gradient of a case.

    Raises:
        NotRun: A bound is not finite.
        ValueError: What came back is no such array.
    """
    evaluation = _evaluation(spec, case, numbers, returned)
    bounds, subject = ArrayBounds(evaluation), evaluation.subject
    with np.errstate(all="ignore"):
        if not bounds.outputs.middle.any():
            raise Contradiction("the equations that it names give nothing but zeros")
        yield compare_with_array_balls(spec.id, "the output", bounds.outputs, evaluation.run.outputs)
        for name, ball in bounds.finals.items():
            source = subject.states[name]
            if f"finals.{source}" not in subject.absent:
                final = evaluation.run.finals.get(source, np.zeros(0))
                yield compare_with_array_balls(spec.id, f"the final state {source}", ball, final)
        if not with_gradients or not returned.gradients:
            return
        left_out = leaves_out_parameters(subject.parameter_shapes(case.sizes))
        computed = evaluation.flat_gradients
        for name, ball in bounds.gradients.items():
            if not (left_out and name.startswith("parameters.")):
                gradient = computed.get(name, np.zeros(0))
                yield compare_with_array_balls(spec.id, f"the gradient of {name}", ball, gradient)


def _evaluation(spec: Spec, case: Case, numbers: NumbersReturned, returned: ReturnedCase) -> Evaluation:
    """Return an evaluation whose run and gradients are those that came back. Raises ValueError."""
    link = spec.reference
    reference: Reference = SpecSignature(spec) if link is None else get_reference(link.name, **link.options)
    absent = numbers.absent
    subject = Subject(spec, reference, absent=absent) if link is None else Subject.of(spec, reference, absent)
    operands = UNIT_ROUNDOFF[numbers.dtype] if numbers.dtype in NARROW else None
    is_single = numbers.is_single_inside and numbers.dtype == "float64"
    options = JudgingOptions(
        numbers.alternatives, operands, numbers.has_absolute_function_error, arithmetic="float32" if is_single else ""
    )
    if are_too_many(subject, case):
        raise NotRun("it has too many parameters for its numbers to be evaluated here")
    evaluation = Evaluation(subject, draw_arrays(case, subject), options)

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


def trusted_spec(numbers: NumbersReturned, request: ValidationRequest) -> Spec:
    """Return the spec that a worker names, as this process has it.

    Args:
        numbers: What came back, with the spec.
        request: What was asked for.

    Raises:
        Contradiction: This process knows no such spec, or it is another than the one that was asked for.
    """
    for spec in _possible_specs(numbers, request):
        open_values = {"constants": numbers.spec.constants, "sizes": numbers.spec.sizes}
        for field, values in open_values.items():
            known = spec.model.constants if field == "constants" else spec.model.sizes
            if known.keys() == values.keys():
                spec = replace(spec, model=spec.model.model_copy(update={field: values}))
        if spec.model == numbers.spec and spec.used == numbers.used:
            return spec
    raise Contradiction(f"they are held against {numbers.spec.id!r}, which is not what this process knows by that name")


def _possible_specs(numbers: NumbersReturned, request: ValidationRequest) -> Iterator[Spec]:
    """Yield the specs that a candidate may be held against. Raises Contradiction."""
    if request.spec.endswith(".toml"):
        try:
            spec = load_spec(Path(request.spec), library().specs)
            yield replace(spec, model=spec.model.model_copy(update={"reference": None}))
        except SpecError as error:
            raise Contradiction(f"the spec file cannot be read any more: {error}") from None
        return
    if request.spec not in ("auto", numbers.spec.id) and numbers.generated is None:
        raise Contradiction(f"they are held against {numbers.spec.id}, and {request.spec} was asked for")
    if numbers.generated is not None:
        try:
            yield generate_spec(numbers.generated.model, frozenset(numbers.generated.names))
        except (ValueError, KeyError, SpecError) as error:
            raise Contradiction(f"the cell that they are held against is none: {error}") from None
        return
    for spec in (*library().specs, *literature()):
        if spec.id == numbers.spec.id:
            yield spec
            if spec.reference is not None and "update_gate" in spec.reference.trace.values():
                updates = ("keep", "write")
                yield from (with_alternative_updates(spec, CellModel("gru", update=update)) for update in updates)
            if spec.is_cell:
                from rnn_harness.validation.spec_search.constants import offset_specs  # only here torch is needed

                yield from offset_specs(spec)
