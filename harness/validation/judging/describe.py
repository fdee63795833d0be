"""What was decided about a candidate, as records and models that can be written and sent."""

from __future__ import annotations

from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.validation import IDENTIFICATION_CHECK, IdentificationRecord
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.saved_map import to_map_file
from rnn_harness.validation.request import ValidationRequest


def identification_record(matches: tuple[Identification, ...], notes: tuple[str, ...] = ()) -> IdentificationRecord:
    """Write down what a candidate was identified as; without a match it is unknown.

    Args:
        matches: What it equals.
        notes: What a reader must know about how it was driven.
    """
    if not matches:
        return IdentificationRecord(answer="unknown")
    first = matches[0]
    return IdentificationRecord(
        answer="unique" if len(matches) == 1 else "ambiguous",
        spec=first.spec or "candidate",
        sentence="; ".join((first.sentence(), *notes)),
        candidates=tuple(match.sentence() for match in matches),
        map=to_map_file(first),
    )


def identification_check(target: str, request: ValidationRequest, spec: str, outcome: Outcome, reason: str) -> Record:
    """Make the record of the check that a candidate is what it should be.

    Args:
        target: The candidate's name.
        request: What was asked for.
        spec: The spec that it is, or should be.
        outcome: Whether it is.
        reason: What it is identified as, or why it is not what it should be.
    """
    return Record(
        entry=spec,
        spec=spec,
        check=IDENTIFICATION_CHECK,
        witness="kernel",
        outcome=outcome,
        reason=reason,
        examples=1,
        seed=request.seed,
        environment=versions(),
        kernel=target,
    )
