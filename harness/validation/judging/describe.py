"""What was found out, in the form in which it is written and sent."""

from __future__ import annotations

from rnn_harness.records.validation import Example, Fault, Identification
from rnn_harness.validation.diagnosis.explain import Diagnosis
from rnn_harness.validation.identification.identify import Match
from rnn_harness.validation.identification.saved_map import map_of
from rnn_harness.validation.reproduction.smallest import Smallest


def identified(matches: tuple[Match, ...]) -> Identification:
    """The answer of an identification."""
    if not matches:
        return Identification(answer="unknown")
    first = matches[0]
    return Identification(
        answer="unique" if len(matches) == 1 else "ambiguous",
        spec=first.spec or "candidate",
        sentence=first.sentence(),
        candidates=tuple(one.sentence() for one in matches),
        map=map_of(first),
    )


def fault(found: Diagnosis) -> Fault:
    """A diagnosis as it is written."""
    return Fault(spec=found.spec, part=found.part, difference=found.difference)


def example(found: Smallest) -> Example:
    """A counterexample as it is written."""
    return Example(**vars(found))
