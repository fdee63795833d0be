"""What a check can say, from best to worst, and how several sayings become one."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any


class Outcome(enum.StrEnum):
    """`agrees` and `refuted` decide; `vacuous` (no case could have failed) and `not run` do not."""

    AGREES = "agrees"
    VACUOUS = "vacuous"
    NOT_RUN = "not run"
    REFUTED = "refuted"

    @property
    def rank(self) -> int:
        """0 for the mildest; the gravest of several outcomes is the one with the highest rank."""
        return list(Outcome).index(self)

    @property
    def decided(self) -> bool:
        """Whether something was found out."""
        return self in (Outcome.AGREES, Outcome.REFUTED)


def gravest(outcomes: Iterable[Outcome]) -> Outcome:
    """One outcome for many: refuted if any is, then agrees if any does; `not run` for none at all.

    A check that agreed on some cases and was vacuous on others has agreed.
    """
    seen = set(outcomes)
    for outcome in (Outcome.REFUTED, Outcome.AGREES, Outcome.VACUOUS):
        if outcome in seen:
            return outcome
    return Outcome.NOT_RUN


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check found about one entry on one case.

    `error`: the worst distance from the true value; `bound`: what was allowed there; `share`: the worst error
    over its bound (beyond 1 it is refuted); `bits`: correct bits of the worst value. `about`: the entry's id,
    or the spec's id when the finding concerns the whole of it.
    """

    about: str
    outcome: Outcome
    reason: str = ""
    error: float | None = None
    bound: float | None = None
    share: float | None = None
    bits: float | None = None
    cases: int = 1


def merge(verdicts: Iterable[Verdict]) -> Verdict:
    """Verdicts of one check about one entry over many cases: the gravest, with the worst share of all.

    Raises ValueError when there is none.
    """
    found = list(verdicts)
    if not found:
        raise ValueError("there is no verdict to merge")
    outcome = gravest(one.outcome for one in found)
    worst = max((one for one in found if one.outcome is outcome), key=lambda one: _size(one.share))
    counted = sum(one.cases for one in found if one.outcome is outcome)
    return replace(worst, cases=counted)


def _size(share: float | None) -> float:
    if share is None:
        return -1.0
    return math.inf if math.isnan(share) else share


def as_finite(value: float | None) -> float | None:
    """`value` for JSON: infinities and NaN become None."""
    return value if value is not None and math.isfinite(value) else None


def plain(value: Any) -> Any:
    """NumPy scalars as Python's own."""
    return value.item() if hasattr(value, "item") else value
