"""What a worker says of a check that was run again, held against numbers in the process that waits."""

from __future__ import annotations

from typing import cast

from rnn_harness.cases.case import Case, Dtype
from rnn_harness.checks.check import worst_finding
from rnn_harness.errors import NotRun
from rnn_harness.records.record import Record
from rnn_harness.specs import Spec
from rnn_harness.validation.judging.own_specs import spec_of_definition
from rnn_harness.validation.request import ValidationRequest
from rnn_harness.validation.returned_findings import Asked, case_findings
from rnn_harness.validation.returned_numbers import NumbersReturned
from rnn_harness.validation.trusted_spec import Contradiction, trusted_spec
from rnn_harness.validation.worker_claims import disbelieved

COMPARED_CHECKS = {
    "precision.format": Asked(finals=False, gradients=False),
    "backward.bound": Asked(outputs=False, finals=False),
}
"""Checks that say nothing but that the numbers of their case lie in their bounds, and which numbers those are."""


def hold_against_equations(record: Record, numbers: NumbersReturned | None) -> None:
    """Hold numbers of a candidate on the case of a record against the equations; they agree where nothing is raised.

    Args:
        record: A record of a candidate, with a case, whose check is one of `COMPARED_CHECKS`.
        numbers: What came back of that case.

    Raises:
        Contradiction: No numbers came back, or others than the equations give.
        NotRun: A bound is not finite.
    """
    if numbers is None or record.case is None or len(numbers.cases) != 1:
        raise Contradiction("no numbers came back with it")
    if numbers.dtype != record.dtype:
        raise Contradiction(f"the numbers are of {numbers.dtype}, and not of {record.dtype}")
    spec = _spec_of(record, numbers)
    if untrue := next(disbelieved(numbers, spec), ""):
        raise Contradiction(untrue)
    case: Case = record.case.model_copy(update={"dtype": cast("Dtype", record.dtype)})
    try:
        findings = list(case_findings(spec, case, numbers, numbers.cases[0], COMPARED_CHECKS[record.check]))
    except NotRun:
        raise
    except (ValueError, TypeError) as error:
        raise Contradiction(f"what came back is no numbers of it ({error})") from None
    if not findings:
        raise Contradiction("no gradients came back with it")
    worst = worst_finding(findings)
    if not worst.agrees:
        raise Contradiction(f"on numbers that came back {worst.detail}")


def _spec_of(record: Record, numbers: NumbersReturned) -> Spec:
    """Return the equations of a record, as this process has them. Raises Contradiction or NotRun."""
    if not record.definition:
        return trusted_spec(numbers, ValidationRequest(record.kernel))
    spec = spec_of_definition(record.definition)
    if spec.model != numbers.spec:
        raise Contradiction(f"the numbers are of {numbers.spec.id!r}, and not of the spec in the record")
    return spec
