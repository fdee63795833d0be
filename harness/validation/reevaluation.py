"""The verdict in the process that waits: numbers that came back from a worker, held against the equations here.

A candidate's code can change this package, NumPy and torch in its worker, and so whatever is decided there. Here it
changes nothing: the cases are drawn here, the equations are those that are shipped, the user's, or written here, and so
are the bounds. The numbers are those of the very runs that were judged there, and of two more. What the worker says
counts only where this agrees.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from rnn_harness.cases.case import Case, Dtype
from rnn_harness.checks.check import Finding, worst_finding
from rnn_harness.errors import HarnessError, NotRun
from rnn_harness.evaluation.judging_options import NARROW
from rnn_harness.evaluation.vacuity import vacuity_reason
from rnn_harness.kernels.judge import number_cases
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
from rnn_harness.specs import Spec
from rnn_harness.validation.request import ValidationRequest
from rnn_harness.validation.returned_findings import Asked, case_findings, returned_evaluation
from rnn_harness.validation.returned_numbers import (
    MOST_JUDGED_CASES,
    MOST_JUDGED_NUMBERS,
    NumbersReturned,
    ReturnedCase,
    reevaluated_cases,
)
from rnn_harness.validation.trusted_spec import Contradiction, trusted_spec
from rnn_harness.validation.worker_claims import disbelieved

_FORWARD = ("forward.", "precision.format")
"""How the names of checks begin that hold what a candidate computes against equations: their numbers come back."""


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
        if numbers is None and (reason := _why_not_run(records, first)):
            return blank.model_copy(update={"reason": f"nothing that it computes was decided: {reason}"})
        if numbers is None:
            raise Contradiction("no numbers came back with them")
        compared = _compared(agreeing, numbers, request, refuted)
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
        "examples": compared.cases,
        "error_over_bound": compared.worst.error_over_bound,
        "worst_error": compared.worst.error,
        "bound": compared.worst.bound,
        "reason": _sentence(numbers, compared),
    }
    return blank.model_copy(update=update)


def _why_not_run(records: Sequence[Record], candidate: Record) -> str:
    """Say why the forward of a candidate was held against no equation in its process; empty where it was."""
    forward = [r for r in records if _is_of(r, candidate) and r.check.startswith(_FORWARD)]
    return forward[0].reason if forward and all(r.outcome is Outcome.NOT_RUN for r in forward) else ""


def _is_of(record: Record, other: Record) -> bool:
    """Say whether two records are of the same candidate in the same dtype."""
    return (record.kernel, record.dtype) == (other.kernel, other.dtype)


@dataclass(frozen=True)
class _Compared:
    """What was compared of a candidate in one dtype.

    Attributes:
        worst: The worst finding of all cases.
        cases: The number of cases that were compared.
        judged: The number of those on which its own process has judged it.
    """

    worst: Finding
    cases: int
    judged: int


def _sentence(numbers: NumbersReturned, compared: _Compared) -> str:
    """Say what was compared, and with what."""
    gradients = " and gradients" if numbers.cases[0].gradients else ""
    inside = ", by what float32 rounds" if numbers.is_single_inside else ""
    written = "; ".join(equation.printed for equation in numbers.spec.equations if not equation.alternative)
    against = f" of {written}" if numbers.generated is not None else ""
    runs = f", among them those of {compared.judged} on which it was judged," if compared.judged else ""
    return (
        f"outputs{gradients} that came back for {compared.cases} cases drawn in this process{runs} lie in their bounds "
        f"here{inside}{against}"
    )


def _compared(
    agreeing: Sequence[Record], numbers: NumbersReturned, request: ValidationRequest, refuted: set[str]
) -> _Compared:
    """Compare the numbers of all cases.

    Raises:
        Contradiction: The numbers are not those of the spec, or are none, or what is said beside them cannot be so.
        NotRun: No bound is finite, in a narrow format or by equations of the user's.
    """
    spec = trusted_spec(numbers, request)
    if other := sorted({record.spec for record in agreeing} - {spec.id}):
        raise Contradiction(f"they are of {', '.join(other)}, and the numbers of {spec.id}")
    if untrue := next(disbelieved(numbers, spec), ""):
        raise Contradiction(untrue)
    if any(check.startswith(("forward.", "precision.")) for check in refuted):
        raise NotRun("a refutation that was expected is all that these numbers could show")
    comparison = _Comparison(
        spec,
        numbers,
        request,
        any(record.check.startswith("backward.") for record in agreeing),
        not any(check.startswith("backward.") for check in refuted),
    )
    drawn = list(comparison.of_drawn_cases())
    judged = list(comparison.of_judged_cases())
    findings = [finding for rows in (*drawn, *judged) for finding in rows]
    if not findings:
        raise comparison.undecided or NotRun("no numbers of it have bounds")
    worst = worst_finding(findings)
    if not worst.agrees:
        raise Contradiction(f"on numbers that came back {worst.detail}")
    return _Compared(worst, len(drawn) + len(judged), len(judged))


class _Comparison:
    """Compares numbers with the equations, case by case; every method yields the findings of one case after the other.

    Attributes:
        undecided: Why the last case without a finite bound was left out; None where there was none.
    """

    def __init__(
        self,
        spec: Spec,
        numbers: NumbersReturned,
        request: ValidationRequest,
        needs_gradients: bool,
        judges_gradients: bool,
    ) -> None:
        self._spec, self._numbers, self._request = spec, numbers, request
        self._needs_gradients, self._judges_gradients = needs_gradients, judges_gradients
        self.undecided: NotRun | None = None

    def of_drawn_cases(self) -> Iterator[list[Finding]]:
        """Yield the findings of the cases that were run for this alone. Raises Contradiction."""
        numbers = self._numbers
        cases = reevaluated_cases(self._spec.id, cast("Dtype", numbers.dtype), self._request.seed, numbers.sizes)
        if len(cases) != len(numbers.cases):
            raise Contradiction(f"{len(numbers.cases)} cases came back of {len(cases)}")
        for case, returned in zip(cases, numbers.cases, strict=True):
            try:
                yield self._findings(case, returned, Asked(gradients=self._judges_gradients, is_nonzero=True))
            except NotRun as reason:
                if numbers.dtype not in NARROW and not self._request.spec.endswith(".toml"):
                    raise Contradiction(f"of {self._spec.id} {reason}") from None  # every shipped one has bounds there
                self.undecided = reason

    def of_judged_cases(self) -> Iterator[list[Finding]]:
        """Yield the findings of the cases on which the worker has judged it, where they have bounds.

        Raises:
            Contradiction: The numbers of one are missing, or say something else than the equations.
        """
        numbers, request = self._numbers, self._request
        returned = {judged.case: judged.numbers for judged in numbers.judged}
        asked = Asked(gradients=self._judges_gradients, most_parameters=MOST_JUDGED_NUMBERS)
        cases = number_cases(self._spec.id, numbers.dtype, numbers.sizes, request.seed, request.examples)
        for case in dict.fromkeys(itertools.islice(cases, MOST_JUDGED_CASES)):
            try:
                if case in returned:
                    yield self._findings(case, returned[case], asked)
                elif vacuity_reason(returned_evaluation(self._spec, case, numbers, None)) is None:
                    raise Contradiction(
                        f"no numbers came back of the case {case.model_dump_json(exclude_defaults=True)}"
                    )
            except NotRun:
                continue

    def _findings(self, case: Case, returned: ReturnedCase, asked: Asked) -> list[Finding]:
        """Return the findings of one case. Raises Contradiction, and NotRun where a bound is not finite."""
        if self._needs_gradients and not returned.gradients:
            raise Contradiction("no gradients came back")
        try:
            return list(case_findings(self._spec, case, self._numbers, returned, asked))
        except NotRun:
            raise
        except (ValueError, TypeError) as error:
            raise Contradiction(f"what came back is no numbers of it ({error})") from None
