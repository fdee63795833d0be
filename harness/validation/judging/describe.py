"""What was found out, in the form in which it is written and sent."""

from __future__ import annotations

from rnn_harness.records.validation import Example, IdentificationRecord
from rnn_harness.validation.identification.identify import Identification
from rnn_harness.validation.identification.saved_map import to_map_file
from rnn_harness.validation.reproduction.smallest import Smallest


def identified(matches: tuple[Identification, ...]) -> IdentificationRecord:
    """The answer of an identification."""
    if not matches:
        return IdentificationRecord(answer="unknown")
    first = matches[0]
    return IdentificationRecord(
        answer="unique" if len(matches) == 1 else "ambiguous",
        spec=first.spec or "candidate",
        sentence=first.sentence(),
        candidates=tuple(one.sentence() for one in matches),
        map=to_map_file(first),
    )


def example(found: Smallest) -> Example:
    """A counterexample as it is written."""
    return Example(**vars(found))
