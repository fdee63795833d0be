"""A fact: a question that one computation answers, with two samples, of which the second must be answered with no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from rnn_harness.checks.check import Finding
from rnn_harness.records.provenance import package_version

Sample = TypeVar("Sample")
FACTS_SPEC = "facts"
"""What stands in the place of a spec in the records of facts."""


@dataclass(frozen=True)
class Answer:
    """Whether a fact holds for a sample, and the numbers.

    Attributes:
        holds: Whether it does.
        detail: What was computed.
    """

    holds: bool
    detail: str


@dataclass(frozen=True)
class Fact(Generic[Sample]):
    """A question that a computation answers.

    Attributes:
        name: Its name in records, after ``facts/``.
        decide: Answers it for a sample.
        sample: What the documents speak of.
        opposite: Something for which the answer is no.
        packages: Libraries that are asked where they are installed, by the names of their distributions.
    """

    name: str
    decide: Callable[[Sample], Answer]
    sample: Sample
    opposite: Sample
    packages: tuple[str, ...] = ()

    @property
    def library_versions(self) -> tuple[str, ...]:
        """What the answer depends on besides what every outcome does: the versions of those libraries."""
        return tuple(map(package_version, self.packages))

    def finding(self) -> Finding:
        """Decide it for what the documents speak of; without a no for the opposite, nothing is proved."""
        if self.decide(self.opposite).holds:
            return Finding(self.name, False, "it holds for its opposite, too: it decides nothing")
        answer = self.decide(self.sample)
        return Finding(self.name, answer.holds, answer.detail)
