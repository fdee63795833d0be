"""What ``verify`` ends with: how many equations or kernels agree, what is refuted, and where to look next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rnn_harness.cli._conclusion import Conclusion

if TYPE_CHECKING:
    from rnn_harness.records.record import Record

_MOST_NAMES = 4


def equations_conclusion(records: Sequence[Record], spec: str) -> Conclusion:
    """Conclude from the records of equations, cells, pairs and facts.

    Args:
        records: All records of a run.
        spec: The first spec file or cell of a paper that was verified; empty where only specs of the documents were.
    """
    go_on = f"rnn-harness validate FILE.py:Cell --spec {spec}" if spec else "rnn-harness verify --kernels"
    return _conclusion(records, "entry", lambda record: record.entry, go_on)


def kernels_conclusion(records: Sequence[Record]) -> Conclusion:
    """Conclude from the records of kernels.

    Args:
        records: All records of a run.
    """

    def name_of(record: Record) -> str:
        return f"{record.kernel} {record.dtype}".strip()

    return _conclusion(records, "kernel and dtype", name_of, "rnn-harness bench speed")


def _conclusion(records: Sequence[Record], noun: str, name_of: Callable[[Record], str], go_on: str) -> Conclusion:
    """Count the subjects by their gravest outcome, and name what is refuted."""
    by_outcome = {
        outcome: _distinct(name_of(record) for record in records if str(record.outcome) == outcome)
        for outcome in ("refuted", "agrees")
    }
    refuted = by_outcome["refuted"]
    agreeing = [name for name in by_outcome["agrees"] if name not in refuted]
    total = len(_distinct(map(name_of, records)))
    nouns = noun if total == 1 else _plural(noun)
    if refuted:
        first = next(record for record in records if str(record.outcome) == "refuted")
        more = f" and {len(refuted) - _MOST_NAMES} more" if len(refuted) > _MOST_NAMES else ""
        listed = ", ".join(refuted[:_MOST_NAMES])
        verdict = f"{len(refuted)} of {total} {nouns} refuted: {listed}{more}; first by {first.check}"
        return Conclusion(verdict, f"rnn-harness explain {first.check}")
    if any(record.harness_error for record in records):
        return Conclusion(
            "the harness failed in a check, so that not everything is decided",
            "the same command with --debug  (shows why)",
        )
    if agreeing:
        undecided = total - len(agreeing)
        undecided_text = f", {undecided} not decided" if undecided else ""
        return Conclusion(f"{len(agreeing)} of {total} {nouns} verified, 0 refuted{undecided_text}", go_on)
    reason = next((record.reason for record in records if record.reason), "there was nothing to decide")
    return Conclusion(f"nothing is decided: {reason}", "the same command with -v  (lists every record with its reason)")


def _distinct(names: Iterable[str]) -> list[str]:
    """Return each name once, in the order in which they come."""
    return list(dict.fromkeys(names))


def _plural(noun: str) -> str:
    """Return the plural of the nouns that are counted here."""
    return "entries" if noun == "entry" else "kernels and dtypes"
