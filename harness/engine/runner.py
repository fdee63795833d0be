"""Run checks of a subject over cases: Hypothesis draws, guards keep the cases that could fail, checks judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from rnn_harness.cases.case import Case
from rnn_harness.cases.fixed_cases import fixed_cases
from rnn_harness.cases.strategies import case_strategy
from rnn_harness.checks import Check, Finding, all_checks
from rnn_harness.checks.check import worst_finding
from rnn_harness.engine.blame import finding_of_error
from rnn_harness.engine.drawn_alike import without_constants_of_modules
from rnn_harness.engine.results import CheckSummary, JudgedCase, RunResults
from rnn_harness.errors import HarnessError, NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.vacuity import vacuity_reason
from rnn_harness.subjects.subject import Subject


@dataclass(frozen=True)
class RunPlan:
    """What is decided of a subject.

    Attributes:
        checks: the checks, in the order in which they are reported; those that the subject does not support are
            left out.
        not_run: reasons by check name; these checks are reported as not run, and not tried.
        dtype: the one dtype of all cases that are drawn, or None.
    """

    checks: tuple[Check, ...] = field(default_factory=all_checks)
    not_run: Mapping[str, str] = field(default_factory=dict)
    dtype: str | None = None

    def supported_by(self, subject: Subject) -> RunPlan:
        """Return the plan without the checks that a subject does not support.

        Args:
            subject: what is judged.
        """
        return replace(self, checks=tuple(check for check in self.checks if check.supports(subject)))


@dataclass(frozen=True)
class DrawingRound:
    """Cases that Hypothesis draws in one go.

    Attributes:
        seed: from which it draws them.
        examples: their number.
    """

    seed: int
    examples: int


EXAMPLES_IN_ROUND = 250
"""Cases that are drawn in one go: Hypothesis remembers all of them, and rounds can be tried at the same time."""


def drawing_rounds(seed: int, examples: int) -> tuple[DrawingRound, ...]:
    """Divide cases into rounds, each with a seed of its own; they depend on nothing but seed and number.

    Args:
        seed: the seed of the run, and of its first round.
        examples: number of cases of all rounds.
    """
    starts = range(0, examples, EXAMPLES_IN_ROUND)
    return tuple(
        DrawingRound(seed + (number << 64), min(EXAMPLES_IN_ROUND, examples - start))
        for number, start in enumerate(starts)
    )


def use_drawn_cases(spec: str, dtype: str | None, drawing: DrawingRound, use: Callable[[Case], object]) -> None:
    """Draw the cases of one round, and use each; which they are does not depend on what is done with them.

    Args:
        spec: the id of the spec whose cell the cases are for.
        dtype: the one dtype of all cases, or None.
        drawing: the seed of the round, and the number of its cases.
        use: called with every case.
    """
    import hypothesis
    from hypothesis import HealthCheck, Phase, given, settings

    @hypothesis.seed(drawing.seed)
    @settings(
        max_examples=drawing.examples,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case_strategy(spec, dtype))
    def drive(case: Case) -> None:
        use(case)

    with without_constants_of_modules():
        drive()


def run_cases(spec: str, dtype: str, seed: int, examples: int) -> Iterator[Case]:
    """Yield the cases that a run of one dtype tries: the fixed ones, then the drawn ones.

    Args:
        spec: the id of the spec whose cell the cases are for.
        dtype: the dtype of all cases.
        seed: from which Hypothesis draws.
        examples: number of cases that it draws.
    """
    yield from (case.model_copy(update={"dtype": dtype}) for case in fixed_cases(spec))
    for drawing in drawing_rounds(seed, examples):
        drawn: list[Case] = []
        use_drawn_cases(spec, dtype, drawing, drawn.append)
        yield from drawn


def run_check(check: Check, evaluation: Evaluation) -> list[Finding]:
    """Return the findings of one check; an error that the subject raises where it must not is a finding too.

    Args:
        check: the check.
        evaluation: a subject on a case.

    Raises:
        NotRun: the check cannot be run on this subject or case.
        HarnessError: the harness itself raised an error.
    """
    try:
        with np.errstate(all="ignore"):
            return list(check.run(evaluation))
    except NotRun:
        raise
    except (Exception, SystemExit) as error:  # a candidate may raise anything
        return [finding_of_error(check, evaluation, error)]


class Runner:
    """Runs the checks of a plan on one subject, case by case.

    Args:
        subject: what is judged.
        plan: what is decided of it; by default all checks.
        evaluate: makes the evaluation of a case; by default the subject on the arrays drawn for it.
        on_judged: called with every evaluation that all checks have judged.
    """

    def __init__(
        self,
        subject: Subject,
        plan: RunPlan | None = None,
        evaluate: Callable[[Case], Evaluation] | None = None,
        on_judged: Callable[[Evaluation], None] = lambda _: None,
    ) -> None:
        self._subject, self._on_judged = subject, on_judged
        self._plan = (plan or RunPlan()).supported_by(subject)
        self._evaluate = evaluate or (lambda case: Evaluation.of(subject, case))
        self._summaries: dict[tuple[str, str], CheckSummary] = {}
        self._vacuous: dict[str, int] = {}
        self._not_run = dict(self._plan.not_run)
        self._harness_errors: dict[str, str] = {}

    def try_case(self, case: Case, guarded: bool = True) -> bool:
        """Run every check on one case.

        Args:
            case: what to try.
            guarded: whether the case must be able to fail; checks of runtime behaviour can be decided on any numbers.

        Returns:
            False if the case is vacuous, and was not used.
        """
        evaluation = self._evaluate(case)
        try:
            with np.errstate(all="ignore"):
                reason = vacuity_reason(evaluation) if guarded else None
        except Exception:  # a subject that cannot run at all is judged, not excused
            reason = None
        if reason is not None:
            self._vacuous[reason] = self._vacuous.get(reason, 0) + 1
            return False
        for check in self._plan.checks:
            if check.name not in self._plan.not_run and case.dtype in check.dtypes:
                self._judge(check, evaluation)
        self._on_judged(evaluation)
        return True

    def _judge(self, check: Check, evaluation: Evaluation) -> None:
        start = time.perf_counter()
        try:
            findings = run_check(check, evaluation)
        except NotRun as reason:
            self._not_run.setdefault(check.name, str(reason))
            if isinstance(reason, HarnessError) and check.name not in self._harness_errors:
                self._not_run[check.name] = str(reason)
                self._harness_errors[check.name] = reason.traceback_text
            return
        seconds = time.perf_counter() - start
        entries = dict.fromkeys(finding.entry for finding in findings)
        for entry in entries:
            worst = worst_finding([finding for finding in findings if finding.entry == entry])
            summary = self._summaries.setdefault((entry, check.name), CheckSummary(entry, check))
            summary.add(JudgedCase(worst, evaluation.case), seconds / len(entries))

    def run(self, seed: int, examples: int) -> None:
        """Try the fixed cases, then drawn ones.

        Args:
            seed: from which Hypothesis draws.
            examples: number of cases that it draws.
        """
        self.try_fixed_cases()
        for drawing in drawing_rounds(seed, examples):
            self.try_drawn_cases(drawing)

    def try_fixed_cases(self) -> None:
        """Try the cases that every run begins with."""
        dtype = self._plan.dtype
        for case in fixed_cases(self._subject.spec.id):
            self.try_case(case.model_copy(update={"dtype": dtype}) if dtype else case)

    def try_drawn_cases(self, drawing: DrawingRound) -> None:
        """Try the cases of one round.

        Args:
            drawing: its seed, and the number of its cases.
        """
        use_drawn_cases(self._subject.spec.id, self._plan.dtype, drawing, self.try_case)

    def results(self) -> RunResults:
        """Return what the cases tried so far have shown."""
        summaries = tuple(replace(summary) for summary in self._summaries.values())
        reasons, errors = dict(self._not_run), dict(self._harness_errors)
        return RunResults(self._subject, self._plan.checks, summaries, dict(self._vacuous), reasons, errors)
