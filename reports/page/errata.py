"""Errata and contradictions of the documents, each with what decides it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.page.document_statements import PrintedEntry
from rnn_harness.reports.page.evidence import Evidence, weakest_outcome
from rnn_harness.specs.equivalences import Equivalence
from rnn_harness.specs.errata import Contradiction, Misprint

_NOT_COMPUTED = {"reading": "read; nothing is computed from it", "literature": "the literature"}


@dataclass(frozen=True)
class ErratumRow:
    """An erratum with what decides it.

    Attributes:
        id: The permanent id.
        at: Every place where it stands.
        says: The error in our words.
        right: What should stand there.
        decided_by: What decides it.
        outcome: The outcome of what decides it; None where nothing is computed.
        readings: The formulas that are computed in the place of the printed ones.
        command: The command that decides it again; empty where there is none.
    """

    id: str
    at: tuple[str, ...]
    says: str
    right: str
    decided_by: str
    outcome: Outcome | None
    readings: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True)
class ParameterSubstitution:
    """A parameter of one spec written by those of another.

    Attributes:
        name: The parameter of the right spec.
        text: What it is in terms of the left spec's.
    """

    name: str
    text: str


@dataclass(frozen=True)
class Substitution:
    """An equivalence: the right spec computes what the left one does with these parameters, or does not.

    Attributes:
        id: The id of the pair of specs.
        title: The pair in words.
        left: The id of the left spec.
        right: The id of the right spec.
        parameters: The parameters of the right spec that are not just the left's of the same name.
        equal: Whether the two are expected to be equal.
        outcome: The outcome of its proof.
    """

    id: str
    title: str
    left: str
    right: str
    parameters: tuple[ParameterSubstitution, ...]
    equal: bool
    outcome: Outcome


@dataclass(frozen=True)
class PositionRow:
    """One side of a contradiction.

    Attributes:
        at: Its places in the documents; empty where the position is not theirs.
        says: The position in our words.
    """

    at: tuple[str, ...]
    says: str


@dataclass(frozen=True)
class ContradictionRow:
    """A contradiction with what resolves it.

    Attributes:
        id: The permanent id.
        topic: The subject in a few words.
        positions: Its sides.
        resolved: Why they agree after all, or which is right.
        substitutions: The pairs of specs that decide it.
        evidence: What it rests on, in words.
        outcome: The outcome of its evidence.
    """

    id: str
    topic: str
    positions: tuple[PositionRow, ...]
    resolved: str
    substitutions: tuple[Substitution, ...]
    evidence: str
    outcome: Outcome


def decide_errata(
    printed: Mapping[str, PrintedEntry],
    misprints: Sequence[Misprint],
    contradictions: Sequence[Contradiction],
    evidence: Evidence,
) -> list[ErratumRow]:
    """Decide the errata of equations by the audits of their prints, and those outside of equations by their evidence.

    Args:
        printed: The entries of the documents, by id.
        misprints: The errata outside of equations.
        contradictions: The contradictions; an erratum of an equation that is one is left to them.
        evidence: What records and claims say.

    Returns:
        A row for each erratum, by id.
    """
    contradiction_ids = {contradiction.id for contradiction in contradictions}
    rows = [row for row in _print_errata(printed, evidence) if row.id not in contradiction_ids]
    for misprint in misprints:
        has_evidence = bool(misprint.evidence)
        outcome = evidence.gravest_outcome(misprint.evidence) if has_evidence else None
        decided_by = evidence.describe(misprint.evidence) if has_evidence else _NOT_COMPUTED[misprint.by]
        rows.append(ErratumRow(misprint.id, tuple(misprint.prints), misprint.says, misprint.right, decided_by, outcome))
    return sorted(rows, key=lambda row: row.id)


def _print_errata(printed: Mapping[str, PrintedEntry], evidence: Evidence) -> Iterable[ErratumRow]:
    """Yield the errata of equations, each of which may stand in several of them."""
    texts: dict[str, str] = {}
    entries: dict[str, dict[str, PrintedEntry]] = {}
    for entry, printed_entry in printed.items():
        for erratum in printed_entry.errata:
            texts.setdefault(erratum.id, erratum.text)
            entries.setdefault(erratum.id, {})[entry] = printed_entry
    for name, text in texts.items():
        yield _print_erratum(name, text, entries[name], evidence)


def _print_erratum(name: str, text: str, entries: Mapping[str, PrintedEntry], evidence: Evidence) -> ErratumRow:
    """Decide one erratum by the audits of the entries in which it stands."""
    audits = [evidence.audits.get(entry) for entry in entries]
    readings = tuple(dict.fromkeys(entry.reading for entry in entries.values() if entry.reading and entry.is_formula))
    reasons = dict.fromkeys(_reason_without(audit, readings) for audit in audits if audit is not None)
    outcomes = [Outcome.NOT_RUN if audit is None else audit.outcome for audit in audits]
    return ErratumRow(
        id=name,
        at=tuple(dict.fromkeys(f"{entry.document}:{entry.line}" for entry in entries.values())),
        says=text,
        right="; ".join(filter(None, reasons)),
        decided_by=f"the audit of {', '.join(entries)}",
        outcome=weakest_outcome(outcomes),
        readings=readings,
        command=" ".join(("rnn-harness verify", *entries)),
    )


def _reason_without(audit: Record, readings: Sequence[str]) -> str:
    """Return what an audit says, without the formulas that are shown as formulas."""
    reason = audit.reason
    for reading in readings:
        reason = reason.replace(f"; correct: {reading}", "")
    return reason


def decide_contradictions(
    contradictions: Sequence[Contradiction], equivalences: Sequence[Equivalence], evidence: Evidence
) -> list[ContradictionRow]:
    """Decide every contradiction by its evidence.

    Args:
        contradictions: Pairs of prints that cannot both be right, with what decides each.
        equivalences: The pairs of specs that their evidence may name.
        evidence: What records and claims say.

    Returns:
        A row for each, with the pairs of specs that were proved or refuted.
    """
    pairs = {equivalence.id: equivalence for equivalence in equivalences}
    return [
        ContradictionRow(
            id=contradiction.id,
            topic=contradiction.topic,
            positions=tuple(PositionRow(position.at, position.says) for position in contradiction.positions),
            resolved=contradiction.resolved,
            substitutions=tuple(
                _substitution(pairs[name], evidence) for name in contradiction.evidence if name in pairs
            ),
            evidence=evidence.describe(contradiction.evidence),
            outcome=evidence.gravest_outcome(contradiction.evidence, contradiction.verdicts),
        )
        for contradiction in contradictions
    ]


def _substitution(pair: Equivalence, evidence: Evidence) -> Substitution:
    """Return a pair of specs with the outcome of its proof."""
    parameters = tuple(ParameterSubstitution(name, text) for name, text in pair.parameters.items() if name != text)
    equal = pair.expected == "equal"
    return Substitution(pair.id, pair.title, pair.left, pair.right, parameters, equal, evidence.outcome(pair.id))
