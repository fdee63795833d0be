"""Every claim of the documents with its verdict: from records, from measurements, or from sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnn_harness.records.kill_matrix import MutantResult
from rnn_harness.records.measurement import Measurement
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.page.again import PagePlan, page_plan
from rnn_harness.reports.page.evidence import EVIDENCE_REFUTED, NOT_RUN, NOT_TESTABLE, RecordEvidence, ReportedVerdict
from rnn_harness.reports.page.measured_claims import KIND_OF_CLAIM, MEASURED_CLAIMS
from rnn_harness.specs.claims import Claim


@dataclass(frozen=True)
class ClaimRow:
    """A claim with its verdict.

    Attributes:
        id: The permanent id.
        at: Every place where the claim stands.
        says: The claim in our words.
        verdict: The verdict, or why there is none.
        when: The conditions, the counterexample or the source.
        evidence: What the verdict rests on, with numbers where it was measured.
        command: The command that decides the claim again; empty where nothing is computed.
        false_if: What would make it false (of a claim that is false: what would make it true); empty where it cannot be
            tested.
        tried: How that was tried, and what it refuted; of what a publication decides, that nothing was run.
    """

    id: str
    at: tuple[str, ...]
    says: str
    verdict: ReportedVerdict
    when: str
    evidence: str
    command: str = ""
    false_if: str = ""
    tried: str = ""


@dataclass(frozen=True)
class _Decision:
    """The verdict of a claim, and what it rests on."""

    verdict: ReportedVerdict
    evidence: str = ""


def decide_claims(
    claims: Sequence[Claim],
    records: Sequence[Record],
    measurements: Sequence[Measurement],
    mutants: Sequence[MutantResult] = (),
) -> list[ClaimRow]:
    """Decide every claim by what was checked and measured.

    Args:
        claims: The documents' claims, with what decides each.
        records: The records that may be their evidence.
        measurements: The measurements that may be.
        mutants: The kill matrix, which says what became of the references that make a claim false.

    Returns:
        A row for each claim, in their order.
    """
    evidence, plan = RecordEvidence(records), page_plan(measurements)
    rows = []
    for claim in claims:
        decision = _decide(claim, evidence, measurements)
        if _is_blind(claim, mutants) and decision.verdict != EVIDENCE_REFUTED:
            decision = _Decision(NOT_RUN, decision.evidence)
        command = _command(claim, plan)
        rows.append(
            ClaimRow(
                id=claim.id,
                at=claim.at,
                says=claim.says,
                verdict=decision.verdict,
                when=claim.when,
                evidence=decision.evidence,
                command=command,
                false_if=claim.false_if.says if claim.false_if is not None else "",
                tried=_tried(claim, mutants),
            )
        )
    return rows


def _command(claim: Claim, plan: PagePlan) -> str:
    """Return the command that decides a claim again; empty where nothing is computed."""
    if claim.by == "checks":
        return plan.verify(" ".join(dict.fromkeys(name.partition("/")[0] for name in claim.evidence)))
    return plan.bench(KIND_OF_CLAIM[claim.evidence[0]]) if claim.by == "measured" else ""


def _tried(claim: Claim, mutants: Sequence[MutantResult]) -> str:
    """Say how what would make a claim false was tried, and what it refuted."""
    falsifier = claim.false_if
    if falsifier is None:
        return ""
    if claim.by == "measured":
        return "tried with such measurements, in the tests: the verdict is false"
    if claim.by == "literature":
        return "looked up, not run"
    if falsifier.entry:
        return f"tried with another text of {falsifier.entry}, in the tests: refuted"
    if falsifier.fact:
        return f"tried in the same computation, which is refuted where the opposite passes ({falsifier.fact})"
    if falsifier.pair:
        return f"tried with other parameters of {falsifier.pair}, in the tests: refuted"
    return "; ".join(_tried_mutant(claim, name, mutants) for name in falsifier.mutants)


def _tried_mutant(claim: Claim, name: str, mutants: Sequence[MutantResult]) -> str:
    """Say what refuted one reference that makes a claim false."""
    refuting = _refuting_checks(claim, name, mutants)
    if refuting is None:
        return f"tried with the wrong reference {name}, in the tests: refuted"
    if not refuting:
        return f"tried with the wrong reference {name}: not refuted, so that nothing is decided"
    return f"tried with the wrong reference {name}: refuted by {', '.join(refuting)}"


def _refuting_checks(claim: Claim, name: str, mutants: Sequence[MutantResult]) -> list[str] | None:
    """Return the checks of a claim's evidence that refute a reference that makes it false; None if it was not run."""
    result = next((result for result in mutants if result.mutant == name), None)
    if result is None:
        return None
    checks = {piece.partition("/")[2] or "forward.equation" for piece in claim.evidence}
    return [kill.check for kill in result.kills if kill.check in checks]


def _is_blind(claim: Claim, mutants: Sequence[MutantResult]) -> bool:
    """Whether the kill matrix says that a claim's evidence agrees with something that would make the claim false."""
    names = claim.false_if.mutants if claim.false_if is not None else ()
    return any(_refuting_checks(claim, name, mutants) == [] for name in names)


def _decide(claim: Claim, evidence: RecordEvidence, measurements: Sequence[Measurement]) -> _Decision:
    """Decide a claim in the way that it names."""
    if claim.by == "checks":
        return _decide_by_checks(claim, evidence)
    if claim.by == "measured":
        return _decide_by_measurement(claim, measurements)
    if claim.by == "not testable" or claim.verdict is None:
        return _Decision(NOT_TESTABLE)
    return _Decision(claim.verdict, "the publication named beside it")


def _decide_by_checks(claim: Claim, evidence: RecordEvidence) -> _Decision:
    """Take the expected verdict where all evidence agrees."""
    outcomes = {name: evidence.outcome(name) for name in claim.evidence}
    text = ", ".join(evidence.describe(name) for name in outcomes)
    if Outcome.REFUTED in outcomes.values():
        return _Decision(EVIDENCE_REFUTED, text)
    if claim.verdict is not None and set(outcomes.values()) == {Outcome.AGREES}:
        return _Decision(claim.verdict, text)
    return _Decision(NOT_RUN, text)


def _decide_by_measurement(claim: Claim, measurements: Sequence[Measurement]) -> _Decision:
    """Take the verdict that follows from the measurements."""
    measured = MEASURED_CLAIMS[claim.evidence[0]](measurements)
    if measured is None:
        return _Decision(NOT_RUN, f"not measured: {claim.evidence[0]}")
    return _Decision(measured.verdict, measured.numbers)
