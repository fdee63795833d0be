"""What a validation found, as one document: identification, diagnosis, checks, counterexample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rnn_harness.records.parameter_map_file import MapFile
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

Event = tuple[str, Any]
"""``identified``, ``record``, ``diagnosis`` or ``counterexample``, with an `IdentificationRecord`, a `Record`, a
`Diagnosis` or an `Example`."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class IdentificationRecord(_Model):
    """`answer`: ``unique``, ``ambiguous`` (see `candidates`) or ``unknown``. `sentence`: the first, in words.

    `spec`: the shipped spec, or ``candidate`` for one that was written from what was found. `map`: which parameter is
    which.
    """

    answer: Literal["unique", "ambiguous", "unknown"]
    spec: str = ""
    sentence: str = ""
    candidates: tuple[str, ...] = ()
    map: MapFile | None = None


class Diagnosis(_Model):
    """What is wrong with a cell.

    Attributes:
        spec: The nearest known cell, by its spec or in words.
        part: What is at fault: ``forward: ...``, ``backward: ...`` or ``behaviour: ...``.
        difference: How it differs from that cell, or what it does wrong.
    """

    spec: str
    part: str
    difference: str

    def sentence(self) -> str:
        """Say what it equals but for what is wrong."""
        return f"equals {self.spec}, but {self.difference}" if self.difference else self.spec


class Example(_Model):
    """The smallest counterexample; `program` shows it."""

    sizes: dict[str, int]
    nonzero: int
    place: str
    found: float
    expected: float
    bound: float
    program: str


class Validation(_Model):
    """Everything about one target. `outcome`: ``agrees``, ``refuted`` or ``undecided``."""

    target: str
    outcome: Literal["agrees", "refuted", "undecided"]
    spec: str
    identification: IdentificationRecord | None
    diagnosis: Diagnosis | None
    checks: tuple[Record, ...]
    counterexample: Example | None
    environment: str

    def __str__(self) -> str:
        from rnn_harness.reports.text.validation import summary

        return summary(self)

    def __repr__(self) -> str:
        return f"<Validation of {self.target}: {self.outcome}, {len(self.checks)} checks; print it for a summary>"


def collect(target: str, events: Iterable[Event]) -> Validation:
    """One document of what happened."""
    records: list[Record] = []
    other: dict[str, Any] = {}
    for kind, value in events:
        if kind == "record":
            records.append(value)
        else:
            other.setdefault(kind, value)
    return validation(target, records, other)


def validation(target: str, records: Iterable[Record], other: dict[str, Any]) -> Validation:
    """One document of records and what else was found, by kind of event."""
    checks = tuple(records)
    told: IdentificationRecord | None = other.get("identified")
    spec = next((record.spec for record in checks if record.spec != "unknown"), told.spec if told else "")
    return Validation(
        target=target,
        outcome=outcome_of(checks),
        spec=spec,
        identification=told,
        diagnosis=other.get("diagnosis"),
        checks=checks,
        counterexample=other.get("counterexample"),
        environment=versions(),
    )


def outcome_of(records: Iterable[Record]) -> Literal["agrees", "refuted", "undecided"]:
    """Refuted if one record is and was not expected to be; undecided if the worker could not go on through no fault of
    the target's; agrees if checks of numbers agree; else undecided.
    """
    found = list(records)
    if any(one.outcome is Outcome.REFUTED and not one.expected for one in found):
        return "refuted"
    if any(one.check == "process.ended" and one.outcome is Outcome.NOT_RUN for one in found):
        return "undecided"
    told = ("identification.unique", "kernel.dispatch")
    decided = any(one.outcome is Outcome.AGREES and one.check not in told for one in found)
    return "agrees" if decided else "undecided"
