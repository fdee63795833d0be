"""Records put together by entry: what every witness said, and how close it was to the bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

WITNESSES = ("text", "reference", "numeric", "symbolic", "torch")
_ORDER = ("refuted", "agrees", "vacuous", "not run")


class Recorded(Protocol):
    """What a report reads of a record."""

    @property
    def entry(self) -> str: ...
    @property
    def spec(self) -> str: ...
    @property
    def check(self) -> str: ...
    @property
    def witness(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def error_over_bound(self) -> float | None: ...
    @property
    def examples(self) -> int: ...
    @property
    def vacuous(self) -> int: ...
    @property
    def program(self) -> str: ...


@dataclass
class Row:
    """One entry. `outcomes` by witness, the gravest of its checks; `reasons` by witness."""

    entry: str
    spec: str
    outcomes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    error_over_bound: float = 0.0
    examples: int = 0

    @property
    def outcome(self) -> str:
        """The gravest outcome of all witnesses; ``not run`` only if none decided."""
        return gravest(self.outcomes.values())

    @property
    def odd_one_out(self) -> str:
        """The witness that alone disagrees with at least two others; empty where the vote names none."""
        against = [name for name, outcome in self.outcomes.items() if outcome == "refuted"]
        agreeing = [name for name, outcome in self.outcomes.items() if outcome == "agrees"]
        return against[0] if len(against) == 1 and len(agreeing) >= 2 else ""


def gravest(outcomes: Iterable[str]) -> str:
    """refuted before agrees before vacuous before not run."""
    found = set(outcomes)
    return next((outcome for outcome in _ORDER if outcome in found), "not run")


def summarise(records: Iterable[Recorded]) -> dict[tuple[str, str], Row]:
    """Rows by (spec, entry), in the order of the records."""
    rows: dict[tuple[str, str], Row] = {}
    for record in records:
        row = rows.setdefault((record.spec, record.entry), Row(record.entry, record.spec))
        before, outcome = row.outcomes.get(record.witness), str(record.outcome)
        now = outcome if before is None else gravest((before, outcome))
        if now != before:
            row.outcomes[record.witness], row.reasons[record.witness] = now, record.reason
        if outcome in ("agrees", "refuted"):
            row.error_over_bound = max(row.error_over_bound, record.error_over_bound or 0.0)
            row.examples += record.examples
    return rows


def totals(records: Iterable[Recorded]) -> dict[str, int]:
    """How many records of each outcome."""
    found = dict.fromkeys(_ORDER, 0)
    for record in records:
        found[str(record.outcome)] += 1
    return found
