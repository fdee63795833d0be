"""What records say about the evidence that claims, errata and contradictions name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.specs.claims import Verdict

EVIDENCE_REFUTED: Literal["evidence refuted"] = "evidence refuted"
NOT_TESTABLE: Literal["not testable"] = "not testable"
NOT_RUN: Literal["not run"] = "not run"
ReportedVerdict = Verdict | Literal["not testable", "not run", "evidence refuted"]
"""The verdict of a claim, or why it has none."""

NOT_PLAINLY_TRUE: frozenset[Verdict] = frozenset(("false", "true under conditions", "depends"))
"""The verdicts of a claim that is an erratum: were it plainly true, the document would be right."""

SELF_WITNESSES = frozenset(("equation.numeric", "equation.symbolic", "equation.torch", "text.audit"))
"""Checks that agree for any equation: they differentiate it, or read its print. Only a refutation of theirs counts."""


class RecordEvidence:
    """The outcomes of checks and entries of references.

    That a witness of an equation's derivative or print agrees is no evidence for what the equation says.

    Args:
        records: The records that speak; those of kernels and candidates are passed over.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self._records: dict[str, list[Record]] = {}
        for record in records:
            if not record.kernel:
                self._records.setdefault(f"{record.spec}/{record.check}", []).append(record)
                if record.check not in SELF_WITNESSES or record.outcome is Outcome.REFUTED:
                    self._records.setdefault(record.entry, []).append(record)

    def outcome(self, name: str) -> Outcome:
        """Return the outcome of ``spec/check`` or of an entry.

        Args:
            name: The id of an entry, or the ids of a spec and a check with a slash between them.

        Returns:
            Refuted before agrees; not run where nothing decided it.
        """
        outcomes = {record.outcome for record in self._records.get(name, ())}
        return next((outcome for outcome in (Outcome.REFUTED, Outcome.AGREES) if outcome in outcomes), Outcome.NOT_RUN)

    def describe(self, name: str) -> str:
        """Write a piece of evidence with its outcome, and with the numbers or the proof that decide it.

        Args:
            name: A name as of `outcome`.
        """
        outcome = self.outcome(name)
        deciding = [record for record in self._records.get(name, ()) if record.outcome is outcome]
        numbers = "; ".join(dict.fromkeys(filter(None, map(_numbers, deciding))))
        return f"{name} {outcome}" + (f": {numbers}" if numbers else "")


def _numbers(record: Record) -> str:
    """Return what decided a record, in words: its reason, else its number of cases and the largest error."""
    if record.reason or not record.examples:
        return record.reason
    cases = f"{record.examples} case{'s' if record.examples > 1 else ''}"
    if record.error_over_bound is None:
        return cases
    if not record.error_over_bound:
        return f"{cases}, no error"
    return f"{cases}, error at most {record.error_over_bound:.2g} of its bound"


class Evidence:
    """The outcomes of checks and entries, and the verdicts of claims, which are evidence, too.

    Args:
        records: The records that speak.
        verdicts: The verdicts of claims, by their ids.
    """

    def __init__(self, records: Sequence[Record], verdicts: Mapping[str, ReportedVerdict]) -> None:
        self._records = RecordEvidence(records)
        self._verdicts = verdicts
        self.audits = {record.entry: record for record in records if record.check == "text.audit"}

    def outcome(self, name: str, shown_by: Collection[Verdict] = NOT_PLAINLY_TRUE) -> Outcome:
        """Return the outcome of a piece of evidence.

        Args:
            name: The id of a claim or of an entry, or ``spec/check``.
            shown_by: The verdicts of a claim that show what rests on it; any other refutes that.
        """
        verdict = self._verdicts.get(name)
        if verdict is None:
            return self._records.outcome(name)
        if verdict in (NOT_RUN, NOT_TESTABLE):
            return Outcome.NOT_RUN
        return Outcome.AGREES if verdict in shown_by else Outcome.REFUTED

    def gravest_outcome(
        self, names: Sequence[str], shown_by: Mapping[str, Collection[Verdict]] = MappingProxyType({})
    ) -> Outcome:
        """Return refuted where a piece of evidence is, else not run where one is, else agrees.

        Args:
            names: Names as of `outcome`; without any, the outcome is agrees.
            shown_by: The verdicts of claims that show what rests on them, by the claim's id; those of an erratum need
                none, since it corrects what is not plainly true.
        """
        return weakest_outcome([self.outcome(name, shown_by.get(name, NOT_PLAINLY_TRUE)) for name in names])

    def describe(self, names: Sequence[str]) -> str:
        """Write each piece of evidence with its verdict or outcome.

        Args:
            names: Names as of `outcome`, in the order in which they are written.
        """
        return ", ".join(f"{name} {self._verdicts.get(name) or self.outcome(name)}" for name in names)


def weakest_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """Return refuted where it is among `outcomes`, else not run where that is, else agrees.

    Args:
        outcomes: In any order; vacuous counts as agrees here.
    """
    return next((outcome for outcome in (Outcome.REFUTED, Outcome.NOT_RUN) if outcome in outcomes), Outcome.AGREES)
