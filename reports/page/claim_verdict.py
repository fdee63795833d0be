"""What measurements say about a claim: a verdict that follows from the numbers alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rnn_harness.records.measurement import Measurement
from rnn_harness.specs.claims import Verdict


@dataclass(frozen=True)
class ClaimVerdict:
    """What measurements say about a claim.

    Attributes:
        verdict: The verdict that follows.
        numbers: The numbers that it rests on, in words.
    """

    verdict: Verdict
    numbers: str


MeasuredClaim = Callable[[Sequence[Measurement]], ClaimVerdict | None]
"""Takes all measurements, of any kind and in any order; returns None where those that it needs are missing."""


def verdict_of_all(answers: Sequence[bool | None]) -> Verdict:
    """Return true where a claim holds in every case that was measured, false where it does in none, else depends.

    Args:
        answers: Whether it holds, for each case; None where an interval does not say. At least one.
    """
    if all(answers):
        return "true"
    return "false" if all(answer is False for answer in answers) else "depends"
