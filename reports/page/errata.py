"""Errata and contradictions of the documents, each with what decides it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_harness.reports.page.claims import AGAINST, NOT_RUN, ClaimRow, Evidence

_BY_EYE = {"reading": "read; nothing is computed from it", "literature": "the literature"}


@dataclass(frozen=True)
class ErratumRow:
    """`right`: what should stand there; `readings`: formulas in the place of the printed ones. `how`: what tells;
    `outcome`: agrees, refuted, not run, or empty if read.
    """

    id: str
    at: tuple[str, ...]
    says: str
    right: str
    how: str
    outcome: str
    readings: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True)
class Substitution:
    """An equivalence: the right spec computes what the left one does with these parameters, or does not."""

    id: str
    title: str
    left: str
    right: str
    parameters: tuple[tuple[str, str], ...]
    equal: bool
    outcome: str


@dataclass(frozen=True)
class ContradictionRow:
    """`positions`: (places, what they say). `outcome`: that of its evidence."""

    id: str
    topic: str
    positions: tuple[tuple[tuple[str, ...], str], ...]
    resolved: str
    substitutions: tuple[Substitution, ...]
    evidence: str
    outcome: str


def errata(
    printed: Mapping[str, Any], misprints: Sequence[Any], contradictions: Sequence[Any], found: Known
) -> list[ErratumRow]:
    """Those of equations, found by the audit of their prints, and the others, by id."""
    other = {one.id for one in contradictions}
    rows = [one for one in _of_equations(printed, found) if one.id not in other]
    for one in misprints:
        outcome = found.of(one.evidence) if one.evidence else ""
        how = found.told(one.evidence) if one.evidence else _BY_EYE[one.by]
        rows.append(ErratumRow(one.id, tuple(one.prints), one.says, one.right, how, outcome))
    return sorted(rows, key=lambda row: row.id)


def _of_equations(printed: Mapping[str, Any], found: Known) -> list[ErratumRow]:
    places: dict[str, list[tuple[str, Any, str]]] = {}
    for entry, one in printed.items():
        for name, text in one.errata:
            places.setdefault(name, []).append((entry, one, text))
    rows = []
    for name, own in places.items():
        entries = [entry for entry, _, _ in own]
        audits = {entry: found.audits.get(entry) for entry in entries}
        readings = tuple(dict.fromkeys(one.reading for _, one, _ in own if one.reading and not one.plain))
        said = dict.fromkeys(_told(record.reason, readings) for record in audits.values() if record is not None)
        outcomes = [str(record.outcome) if record is not None else NOT_RUN for record in audits.values()]
        outcome = next((one for one in ("refuted", NOT_RUN) if one in outcomes), "agrees")
        at = tuple(dict.fromkeys(f"{one.document}:{one.line}" for _, one, _ in own))
        how = f"the audit of {', '.join(entries)}"
        told, command = "; ".join(filter(None, said)), " ".join(("rnn-harness verify", *entries))
        rows.append(ErratumRow(name, at, own[0][2], told, how, outcome, readings, command))
    return rows


def _told(reason: str, readings: Sequence[str]) -> str:
    """What the audit said, without the formulas that are shown as such."""
    for one in readings:
        reason = reason.replace(f"; correct: {one}", "")
    return reason


def contradicted(rows: Sequence[Any], equivalences: Sequence[Any], found: Known) -> list[ContradictionRow]:
    """Every contradiction, with the substitutions that were proved or refuted."""
    pairs = {one.id: one for one in equivalences}
    made = []
    for one in rows:
        shown = [_substitution(pairs[name], found) for name in one.evidence if name in pairs]
        positions = tuple((tuple(side.at), side.says) for side in one.positions)
        told, outcome = found.told(one.evidence), found.of(one.evidence)
        made.append(ContradictionRow(one.id, one.topic, positions, one.resolved, tuple(shown), told, outcome))
    return made


def _substitution(one: Any, found: Known) -> Substitution:
    changed = tuple((name, text) for name, text in one.parameters.items() if name != text)
    equal = one.expected == "equal"
    return Substitution(one.id, one.title, one.left, one.right, changed, equal, found.outcome(one.id))


class Known:
    """What records and claims say about a piece of evidence."""

    def __init__(self, records: Sequence[Any], claims: Sequence[ClaimRow]) -> None:
        self.evidence = Evidence(records)
        self.claims = {one.id: one for one in claims}
        self.audits = {one.entry: one for one in records if one.check == "text.audit"}

    def outcome(self, name: str) -> str:
        """agrees, refuted or ``not run``; a claim agrees once it has a verdict."""
        if name in self.claims:
            verdict = self.claims[name].verdict
            return {NOT_RUN: NOT_RUN, AGAINST: "refuted"}.get(verdict, "agrees")
        return self.evidence.outcome(name)

    def of(self, names: Sequence[str]) -> str:
        """The gravest of several."""
        found = {self.outcome(name) for name in names}
        return next((one for one in ("refuted", NOT_RUN) if one in found), "agrees")

    def told(self, names: Sequence[str]) -> str:
        """Each with what it says."""
        return ", ".join(
            f"{name} {self.claims[name].verdict if name in self.claims else self.outcome(name)}" for name in names
        )
