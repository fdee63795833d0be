"""Records put together by entry: what every witness said, and how close it was to the bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

WITNESSES = ("text", "reference", "numeric", "symbolic", "torch")
_ORDER = ("refuted", "agrees", "vacuous", "not run")


@dataclass
class Row:
    """One entry. `outcomes` by witness, the gravest of its checks; `reasons` by witness."""

    entry: str
    spec: str
    outcomes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    share: float = 0.0
    examples: int = 0

    @property
    def outcome(self) -> str:
        """The gravest outcome of all witnesses; ``not run`` only if none decided."""
        return gravest(self.outcomes.values())


def gravest(outcomes: Iterable[str]) -> str:
    """refuted before agrees before vacuous before not run."""
    found = set(outcomes)
    return next((outcome for outcome in _ORDER if outcome in found), "not run")


def summarise(records: Iterable[object]) -> dict[tuple[str, str], Row]:
    """Rows by (spec, entry), in the order of the records."""
    rows: dict[tuple[str, str], Row] = {}
    for record in records:
        entry, spec, witness = _get(record, "entry"), _get(record, "spec"), _get(record, "witness")
        outcome, reason = _get(record, "outcome"), _get(record, "reason")
        row = rows.setdefault((spec, entry), Row(entry, spec))
        before = row.outcomes.get(witness)
        now = outcome if before is None else gravest((before, outcome))
        if now != before:
            row.outcomes[witness], row.reasons[witness] = now, reason
        if outcome in ("agrees", "refuted"):
            row.share = max(row.share, getattr(record, "share", None) or 0.0)
            row.examples += getattr(record, "examples", 0)
    return rows


def _get(record: object, name: str) -> str:
    return str(getattr(record, name))


def totals(records: Iterable[object]) -> dict[str, int]:
    """How many records of each outcome."""
    found = dict.fromkeys(_ORDER, 0)
    for record in records:
        found[_get(record, "outcome")] += 1
    return found
