"""Decide a subject: Hypothesis draws cases, guards keep those that could fail, checks judge, tallies become records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from rnn_harness.arithmetic.assumptions import LOOSE_BOUND
from rnn_harness.cases.case import Case, Dtype
from rnn_harness.cases.fixed_cases import fixed_cases
from rnn_harness.cases.strategies import case_strategy
from rnn_harness.checks import Check, Finding, all_checks
from rnn_harness.counterexamples.program import counterexample
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.vacuity import vacuity_reason
from rnn_harness.records.record import Outcome, Record, environment
from rnn_harness.subjects.subject import Subject


@dataclass
class CheckSummary:
    """What one check said about one entry over all cases."""

    entry: str
    check: Check
    examples: int = 0
    seconds: float = 0.0
    worst: Finding | None = None
    case: Case | None = None
    failed: tuple[Finding, Case] | None = None


def judge(check: Check, evaluation: Evaluation) -> list[Finding]:
    """The findings of one check; an exception of the subject is a finding too. Raises NotRun."""
    try:
        with np.errstate(all="ignore"):
            return list(check.run(evaluation))
    except NotRun:
        raise
    except Exception as error:  # whatever a candidate raises, it is the candidate's fault and is reported as such
        message = f"raises {type(error).__name__}: {error}"
        return [Finding(evaluation.subject.spec.id, False, message, float("inf"))]


class Runner:
    """Runs checks of one subject over many cases.

    `evaluation`: how a case is tried; `only`: one dtype, if one is meant.
    """

    def __init__(
        self,
        subject: Subject,
        checks: tuple[Check, ...] | None = None,
        evaluation: Callable[[Case], Evaluation] | None = None,
        only: Dtype | None = None,
    ) -> None:
        self.subject = subject
        self.evaluation = evaluation or (lambda case: Evaluation.of(subject, case))
        self.only = only
        self.checks = tuple(c for c in checks or all_checks() if c.supports(subject))
        self.tallies: dict[tuple[str, str], CheckSummary] = {}
        self.reasons: dict[str, int] = {}
        self.not_run_reasons: dict[str, str] = {}
        self.tried = 0

    def try_case(self, case: Case, guarded: bool = True) -> bool:
        """Run every check on one case; False if the case is vacuous.

        `guarded=False` is for checks of manners, which a case can decide whatever its numbers are.
        """
        evaluation = self.evaluation(case)
        self.tried += 1
        try:
            with np.errstate(all="ignore"):
                reason = vacuity_reason(evaluation) if guarded else None
        except Exception:  # a subject that cannot run at all is judged, not excused
            reason = None
        if reason is not None:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
            return False
        for check in self.checks:
            if case.dtype in check.dtypes:
                self._judge(check, evaluation)
        return True

    def _judge(self, check: Check, evaluation: Evaluation) -> None:
        start = time.perf_counter()
        try:
            findings = judge(check, evaluation)
        except NotRun as reason:
            self.not_run_reasons.setdefault(check.name, str(reason))
            return
        spent = time.perf_counter() - start
        for entry in {one.entry for one in findings}:
            own = [one for one in findings if one.entry == entry]
            tally = self.tallies.setdefault((entry, check.name), CheckSummary(entry, check))
            tally.examples += 1
            tally.seconds += spent / len({one.entry for one in findings})
            worst = max(own, key=lambda one: (not one.agrees, one.error_over_bound or 0.0))
            if tally.worst is None or (worst.error_over_bound or 0.0) > (tally.worst.error_over_bound or 0.0):
                tally.worst, tally.case = worst, evaluation.case
            if not worst.agrees and tally.failed is None:
                tally.failed = (worst, evaluation.case)

    def run(self, seed: int, examples: int) -> None:
        """The anchors, then `examples` cases that Hypothesis draws from `seed`."""
        import hypothesis
        from hypothesis import HealthCheck, Phase, given, settings

        for case in fixed_cases(self.subject.spec.id):
            self.try_case(case.model_copy(update={"dtype": self.only}) if self.only else case)
        if examples == 0:
            return

        @hypothesis.seed(seed)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case_strategy(self.subject.spec.id, self.only))
        def drive(case: Case) -> None:
            self.try_case(case)

        drive()

    def records(self, seed: int, shrink: bool = True) -> Iterator[Record]:
        """One record for every entry and check; a check that no case could decide is vacuous."""
        skipped = sum(self.reasons.values())
        most = max(self.reasons, key=lambda reason: self.reasons[reason], default="")
        found = {name for _, name in self.tallies}
        for check in self.checks:
            if check.name not in found:
                excuse = self.not_run_reasons.get(check.name)
                yield Record(
                    entry=self.subject.spec.id,
                    spec=self.subject.spec.id,
                    check=check.name,
                    witness=check.witness,
                    outcome=Outcome.NOT_RUN if excuse else Outcome.VACUOUS,
                    reason=excuse or f"no case could decide it; most often: {most or 'the controls saw no difference'}",
                    vacuous=skipped,
                    seed=seed,
                    environment=environment(),
                )
        for tally in self.tallies.values():
            yield self._record(tally, seed, skipped, shrink)

    def _record(self, tally: CheckSummary, seed: int, skipped: int, shrink: bool) -> Record:
        shown, case, program = tally.worst, tally.case, ""
        if tally.failed is not None:
            shown, case = tally.failed
            if shrink:
                case, program = counterexample(self.subject, tally.check, case, self.subject.construct)
        assert shown is not None, "a tally begins with a finding"
        return Record(
            entry=tally.entry,
            spec=self.subject.spec.id,
            check=tally.check.name,
            witness=tally.check.witness,
            outcome=Outcome.REFUTED if tally.failed else Outcome.AGREES,
            reason=shown.detail or _looseness(tally.check, shown),
            case=case,
            worst_error=shown.error,
            bound=shown.bound,
            error_over_bound=shown.error_over_bound,
            bits=shown.bits,
            examples=tally.examples,
            vacuous=skipped,
            seconds=round(tally.seconds, 4),
            seed=seed,
            environment=environment(),
            program=program,
        )


_PROVED = ("forward.equation", "forward.sequence", "backward.bound")
"""Checks whose bound is a ball's radius; floors of screens and rates of limits are wide on purpose."""


def _looseness(check: Check, found: Finding) -> str:
    """A proved bound that hardly bites is told: it would let a fault of its own size pass."""
    if (
        check.name not in _PROVED
        or not found.error_over_bound
        or found.bound is None
        or found.error_over_bound * LOOSE_BOUND >= 1
    ):
        return ""
    return f"loose bound: {1 / found.error_over_bound:.0f} times the largest error seen"
