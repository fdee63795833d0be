"""What a bound that holds in all but hardly any case says of numbers that a proved bound does not refute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

ASSUMPTION = (
    "each rounding error has mean zero, given those before it, and the order of a sum does not depend on them: not so "
    "of equal terms that are added one by one, nor in units that cut off instead of rounding"
)
"""What the bound assumes of an implementation; `arithmetic/probable_sums.py` has the proof that uses it."""


class ProbableComparison(BaseModel):
    """Computed numbers next to a probable bound.

    Attributes:
        quantity: What lies farthest from its true value, in words, as ``the output h``.
        error_over_bound: The largest distance from a true value divided by its probable bound.
        failure_probability: With what probability one of the bounds fails at most, if the assumption holds.
        assumption: What the bounds assume of an implementation.
        decided_by: Which bound decided: the proved one alone, or the probable one as well, which names precision that
            was lost. The outcome of a record is that of the proved bound in either case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    quantity: str
    error_over_bound: float
    failure_probability: float
    assumption: str = ASSUMPTION
    decided_by: Literal["proved bound", "probable bound"] = "proved bound"

    @property
    def names_lost_precision(self) -> bool:
        """Whether the numbers are less precise than rounding explains, unless the assumption fails."""
        return self.decided_by == "probable bound"

    @property
    def sentence(self) -> str:
        """What is said to a reader; empty where no precision was lost."""
        if not self.names_lost_precision:
            return ""
        return (
            f"less precise than rounding explains: {self.quantity} is off by {self.error_over_bound:.2g} times a bound "
            f"that fails with a probability of at most {self.failure_probability:.1g}, if {self.assumption}; it is "
            "within the proved bound, and consistent with a lower precision of a part"
        )


def joined_comparisons(comparisons: Iterable[ProbableComparison | None]) -> ProbableComparison | None:
    """Return what several comparisons say together: the worst, and the sum of their probabilities.

    Args:
        comparisons: Those of quantities and of cases; None where no bound was probable.
    """
    known = [comparison for comparison in comparisons if comparison is not None]
    if not known:
        return None
    worst = max(known, key=lambda comparison: (comparison.names_lost_precision, comparison.error_over_bound))
    total = min(1.0, sum(comparison.failure_probability for comparison in known))
    return worst.model_copy(update={"failure_probability": total})
