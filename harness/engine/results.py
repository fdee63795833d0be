"""What a run has shown, check by check, and the records of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rnn_harness.arithmetic.assumptions import LOOSE_BOUND
from rnn_harness.cases.case import Case
from rnn_harness.checks import Check, Finding
from rnn_harness.counterexamples.program import counterexample_program
from rnn_harness.records.probable_comparison import ProbableComparison, joined_comparisons
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.subjects.subject import Subject

_PROVED = ("forward.equation", "forward.sequence", "backward.bound")
"""Checks whose bound is a ball's radius; floors of screens and rates of limits are wide on purpose."""


@dataclass(frozen=True)
class JudgedCase:
    """The worst finding about an entry on one case.

    Attributes:
        finding: the finding with the largest error over its bound.
        case: the case on which it was made.
    """

    finding: Finding
    case: Case


def _error_over_bound(judged: JudgedCase) -> float:
    return judged.finding.error_over_bound or 0.0


@dataclass
class CheckSummary:
    """What one check said about one entry over all cases.

    Attributes:
        entry: what it is about.
        check: who says it.
        examples: number of cases that counted.
        seconds: what the check took on them.
        worst: the case with the largest error over its bound.
        failed: the first case that is refuted, or None.
        probable: what the probable bounds of all cases say.
    """

    entry: str
    check: Check
    examples: int = 0
    seconds: float = 0.0
    worst: JudgedCase | None = None
    failed: JudgedCase | None = None
    probable: ProbableComparison | None = None

    def add(self, judged: JudgedCase, seconds: float) -> None:
        """Count one more case.

        Args:
            judged: the case with its worst finding about the entry.
            seconds: what the check took on it.
        """
        self.examples += 1
        self.seconds += seconds
        if self.worst is None or _error_over_bound(judged) > _error_over_bound(self.worst):
            self.worst = judged
        if not judged.finding.agrees and self.failed is None:
            self.failed = judged
        self.probable = joined_comparisons((self.probable, judged.finding.probable))

    def add_row(self, row: TallyRow) -> None:
        """Count the cases of another part of the run, which come after those counted so far.

        Args:
            row: what the same check said about the same entry on them.
        """
        self.examples += row.examples
        self.seconds += row.seconds
        self.failed = self.failed or row.failed
        self.probable = joined_comparisons((self.probable, row.probable))
        if row.worst is not None and (
            self.worst is None or _error_over_bound(row.worst) > _error_over_bound(self.worst)
        ):
            self.worst = row.worst


@dataclass(frozen=True)
class TallyRow:
    """A `CheckSummary` as plain data: the check stands there by its name.

    Attributes:
        entry: what it is about.
        check_name: who says it.
        examples: number of cases that counted.
        seconds: what the check took on them.
        worst: the case with the largest error over its bound.
        failed: the first case that is refuted, or None.
        probable: what the probable bounds of all cases say.
    """

    entry: str
    check_name: str
    examples: int
    seconds: float
    worst: JudgedCase | None
    failed: JudgedCase | None
    probable: ProbableComparison | None = None


@dataclass(frozen=True)
class RunTally:
    """What a run over some of the cases has shown, as plain data.

    Attributes:
        rows: one for every entry and check that some case decided.
        vacuous_reasons: why cases proved nothing, with the number of cases.
        not_run_reasons: why checks were not run, by check name.
        harness_errors: tracebacks of errors of the harness itself, by the check that they ended.
    """

    rows: tuple[TallyRow, ...]
    vacuous_reasons: Mapping[str, int]
    not_run_reasons: Mapping[str, str]
    harness_errors: Mapping[str, str]


@dataclass(frozen=True)
class RunResults:
    """What a run has shown of a subject.

    Attributes:
        subject: what was judged.
        checks: the checks of the plan that the subject supports.
        summaries: one for every entry and check that some case decided.
        vacuous_reasons: why cases proved nothing, with the number of cases.
        not_run_reasons: why checks were not run, by check name.
        harness_errors: tracebacks of errors of the harness itself, by the check that they ended.
    """

    subject: Subject
    checks: tuple[Check, ...]
    summaries: tuple[CheckSummary, ...]
    vacuous_reasons: Mapping[str, int]
    not_run_reasons: Mapping[str, str]
    harness_errors: Mapping[str, str] = field(default_factory=dict)

    def tally(self) -> RunTally:
        """Return the same as plain data, without the subject and the checks: it can be sent to another process."""
        rows = tuple(
            TallyRow(
                summary.entry,
                summary.check.name,
                summary.examples,
                summary.seconds,
                summary.worst,
                summary.failed,
                summary.probable,
            )
            for summary in self.summaries
        )
        return RunTally(rows, dict(self.vacuous_reasons), dict(self.not_run_reasons), dict(self.harness_errors))

    @property
    def vacuous(self) -> int:
        """Number of cases that proved nothing."""
        return sum(self.vacuous_reasons.values())

    @property
    def refuted(self) -> dict[str, str]:
        """What was refuted: the finding's detail by check name."""
        return {summary.check.name: summary.failed.finding.detail for summary in self.summaries if summary.failed}

    def records(self, seed: int, shrink: bool = True) -> Iterator[Record]:
        """Yield one record for every entry and check; a check that no case could decide is vacuous.

        A check that ended once with an error of the harness is not run, unless a case refutes the subject.

        Args:
            seed: what the cases were drawn from.
            shrink: whether a refutation is shrunk to a small program that shows it.
        """
        summaries = [s for s in self.summaries if s.failed or s.check.name not in self.harness_errors]
        decided = {summary.check.name for summary in summaries}
        for check in self.checks:
            if check.name not in decided:
                yield self._undecided(check, seed)
        for summary in summaries:
            yield self._decided(summary, seed, shrink)

    def _undecided(self, check: Check, seed: int) -> Record:
        not_run = self.not_run_reasons.get(check.name)
        frequent = max(self.vacuous_reasons, key=lambda reason: self.vacuous_reasons[reason], default="")
        vacuous = f"no case could decide it; most often: {frequent or 'the controls saw no difference'}"
        return Record(
            entry=self.subject.spec.id,
            spec=self.subject.spec.id,
            check=check.name,
            witness=check.witness,
            outcome=Outcome.NOT_RUN if not_run else Outcome.VACUOUS,
            reason=not_run or vacuous,
            vacuous=self.vacuous,
            seed=seed,
            environment=versions(),
            harness_error=self.harness_errors.get(check.name, ""),
        )

    def _decided(self, summary: CheckSummary, seed: int, shrink: bool) -> Record:
        shown, program = summary.failed or summary.worst, ""
        assert shown is not None, "a summary begins with a finding"
        finding, case = shown.finding, shown.case
        lost = summary.probable.sentence if summary.probable is not None and summary.failed is None else ""
        if summary.failed is not None and shrink:
            program = counterexample_program(self.subject, summary.check, case, self.subject.construct)
        return Record(
            entry=summary.entry,
            spec=self.subject.spec.id,
            check=summary.check.name,
            witness=summary.check.witness,
            outcome=Outcome.REFUTED if summary.failed else Outcome.AGREES,
            reason="; ".join(filter(None, (finding.detail or _looseness(summary.check, finding), lost))),
            case=case,
            worst_error=finding.error,
            bound=finding.bound,
            error_over_bound=finding.error_over_bound,
            bits=finding.bits,
            examples=summary.examples,
            vacuous=self.vacuous,
            seconds=round(summary.seconds, 4),
            seed=seed,
            environment=versions(),
            program=program,
            probable=None if summary.failed else summary.probable,
        )


def _looseness(check: Check, finding: Finding) -> str:
    """Report a proved bound that hardly bites: it would let a fault of its own size pass."""
    if check.name not in _PROVED or not finding.error_over_bound or finding.bound is None:
        return ""
    if finding.error_over_bound * LOOSE_BOUND >= 1:
        return ""
    return f"loose bound: {1 / finding.error_over_bound:.0f} times the largest error seen"


def joined_results(subject: Subject, checks: tuple[Check, ...], tallies: Sequence[RunTally]) -> RunResults:
    """Join what runs over parts of the cases have shown: the same as one run over all of them would.

    Args:
        subject: what was judged.
        checks: the checks of the plan that the subject supports.
        tallies: of every part, in the order of the cases.
    """
    by_name = {check.name: check for check in checks}
    summaries: dict[tuple[str, str], CheckSummary] = {}
    vacuous: dict[str, int] = {}
    not_run: dict[str, str] = {}
    errors: dict[str, str] = {}
    for tally in tallies:
        for row in tally.rows:
            name = row.check_name
            summaries.setdefault((row.entry, name), CheckSummary(row.entry, by_name[name])).add_row(row)
        for reason, number in tally.vacuous_reasons.items():
            vacuous[reason] = vacuous.get(reason, 0) + number
        for name, reason in tally.not_run_reasons.items():
            if name in tally.harness_errors and name not in errors:
                not_run[name] = reason
            not_run.setdefault(name, reason)
        errors = {**tally.harness_errors, **errors}
    return RunResults(subject, checks, tuple(summaries.values()), vacuous, not_run, errors)
