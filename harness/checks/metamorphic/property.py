"""What a metamorphic property is: what runs of one subject have to do with each other, within derived bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from rnn_harness.checks.metamorphic.cell_traits import Traits
from rnn_harness.checks.metamorphic.comparison import Comparison
from rnn_harness.checks.metamorphic.subject_run import SubjectRun

Comparisons = Callable[[SubjectRun], Iterator[Comparison]]
Exactness = Literal["bitwise", "rounding", "rate"]


@dataclass(frozen=True)
class MetamorphicProperty:
    """A property that ties runs of one subject together, whatever its values.

    Attributes:
        id: Its name in records, reports and on the command line, after ``metamorphic.``.
        ledger: Its number in the design's list of properties, ``M-27``. Documentation only.
        title: The property as a sentence.
        exactness: What the two sides may differ by: nothing, rounding, or a rate besides rounding.
        supports: Whether a subject has what the property is about.
        comparisons: Runs the subject as often as needed and yields what must agree.
    """

    id: str
    ledger: str
    title: str
    exactness: Exactness
    supports: Callable[[Traits], bool]
    comparisons: Comparisons

    @property
    def check(self) -> str:
        """The name of the check that decides it."""
        return f"metamorphic.{self.id}"


def metamorphic_property(
    identifier: str, ledger: str, title: str, exactness: Exactness, supports: Callable[[Traits], bool]
) -> Callable[[Comparisons], MetamorphicProperty]:
    """Turn a function that yields comparisons into a `MetamorphicProperty`.

    Args:
        identifier: The property's name in kebab case.
        ledger: Its number in the design's list of properties.
        title: The property as a sentence.
        exactness: What the two sides may differ by.
        supports: Whether a subject has what the property is about.

    Returns:
        The decorator.
    """
    return lambda comparisons: MetamorphicProperty(identifier, ledger, title, exactness, supports, comparisons)
