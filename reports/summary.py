"""Records summarised by entry: what every witness says of it, and how close it came to the bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome, Witness

WITNESSES: tuple[Witness, ...] = ("text", "reference", "numeric", "symbolic", "torch")
"""The witnesses that speak about equations, in the order of the tables' columns."""
DERIVATION: tuple[Witness, ...] = ("numeric", "symbolic", "torch")
"""The witnesses that differentiate the expression itself: they agree for any equation, and count as one."""
GRAVITY = (Outcome.REFUTED, Outcome.AGREES, Outcome.VACUOUS, Outcome.NOT_RUN)
"""The outcomes, the gravest first."""


@dataclass
class EntrySummary:
    """What the records of one entry say.

    Attributes:
        entry: The entry's id.
        spec: The id of its spec.
        outcomes: The gravest outcome of its checks, by witness.
        reasons: The reason of that outcome, by witness.
        error_over_bound: The largest error of a decided check, divided by its bound.
        examples: The number of cases that counted, over all decided checks.
    """

    entry: str
    spec: str
    outcomes: dict[Witness, Outcome] = field(default_factory=dict)
    reasons: dict[Witness, str] = field(default_factory=dict)
    error_over_bound: float = 0.0
    examples: int = 0

    @property
    def outcome(self) -> Outcome:
        """The gravest outcome of all witnesses; ``not run`` only if none decided."""
        return gravest_outcome(self.outcomes.values())

    @property
    def independent_witnesses(self) -> int:
        """How many witnesses agree that share nothing with each other."""
        agreeing = {witness for witness, outcome in self.outcomes.items() if outcome is Outcome.AGREES}
        return len(agreeing - set(DERIVATION)) + bool(agreeing & set(DERIVATION))

    @property
    def odd_one_out(self) -> Witness | None:
        """The witness that alone disagrees with at least two others; None where the vote names none."""
        refuting = [witness for witness, outcome in self.outcomes.items() if outcome is Outcome.REFUTED]
        agreeing = [witness for witness, outcome in self.outcomes.items() if outcome is Outcome.AGREES]
        return refuting[0] if len(refuting) == 1 and len(agreeing) >= 2 else None


def gravest_outcome(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the first of `GRAVITY` that is among `outcomes`; ``not run`` where there is none.

    Args:
        outcomes: In any order; they may repeat.
    """
    present = set(outcomes)
    return next((outcome for outcome in GRAVITY if outcome in present), Outcome.NOT_RUN)


def summarise_entries(records: Iterable[Record]) -> dict[tuple[str, str], EntrySummary]:
    """Summarise records by entry.

    Args:
        records: The records that count; none is passed over.

    Returns:
        A summary by (spec, entry), in the order of the records.
    """
    summaries: dict[tuple[str, str], EntrySummary] = {}
    for record in records:
        summary = summaries.setdefault((record.spec, record.entry), EntrySummary(record.entry, record.spec))
        before = summary.outcomes.get(record.witness)
        now = record.outcome if before is None else gravest_outcome((before, record.outcome))
        if now is not before:
            summary.outcomes[record.witness], summary.reasons[record.witness] = now, record.reason
        if record.outcome in (Outcome.AGREES, Outcome.REFUTED):
            summary.error_over_bound = max(summary.error_over_bound, record.error_over_bound or 0.0)
            summary.examples += record.examples
    return summaries


def count_outcomes(records: Iterable[Record]) -> dict[Outcome, int]:
    """Return the number of records of each outcome, the gravest first.

    Args:
        records: In any order.

    Returns:
        A number for every outcome, 0 where there is none.
    """
    counts = dict.fromkeys(GRAVITY, 0)
    for record in records:
        counts[record.outcome] += 1
    return counts
