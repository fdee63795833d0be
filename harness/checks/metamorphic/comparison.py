"""Two sides of a metamorphic property, and whether they agree within what is allowed.

Both sides are runs: of the subject, or of a right reference that must equal it in a limit. What they may differ by
is nothing (bitwise), what rounding allows (each run is within its radius of the truth), or what an explicit rate
allows besides rounding.
"""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.subject_run import BoundSource, SubjectRun, bounds_from

Side: TypeAlias = Array | float
"""Numbers that are compared; the two sides of a comparison are broadcast against each other."""
Allowed: TypeAlias = Callable[[], Side]
"""Gives a part of what is allowed, at the cost of a run in balls: it is asked for only where the rest is too little."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of a comparison.

    Attributes:
        agrees: Whether the sides agree as they should.
        detail: How far they differ; empty where they agree.
        error_over_bound: The worst difference as a share of what is allowed.
        error: The difference there.
        bound: What is allowed there.
    """

    agrees: bool
    detail: str = ""
    error_over_bound: float | None = None
    error: float | None = None
    bound: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Two sides of a property.

    Attributes:
        label: Says what is compared, for the detail of a refutation.
        first: One side.
        second: The side it is compared with.
        allowed: What is allowed is the sum of these, none of which is negative; none for no difference at all.
        differs: Whether it is a negative control: the sides must differ somewhere by more than allowed.
        below: Whether only ``first > second`` counts as a difference.
    """

    label: str
    first: Side
    second: Side
    allowed: tuple[Allowed, ...] = ()
    differs: bool = False
    below: bool = False

    def judge(self) -> Judgement | None:
        """Decide the comparison; None where there is nothing to compare."""
        first, second = np.broadcast_arrays(np.asarray(self.first), np.asarray(self.second))
        if first.size == 0:
            return None
        if not (np.isfinite(first).all() and np.isfinite(second).all()):
            return Judgement(False, f"{self.label}: a value is not finite", float("inf"))
        gap = first.astype(np.float64) - second.astype(np.float64)
        gap = np.maximum(gap, 0) if self.below else np.abs(gap)
        worst = float(gap.max())
        if worst == 0.0 and not self.differs:
            return Judgement(True, error_over_bound=0.0, error=0.0)
        if self.differs:
            # What differs by more than arrays that are no narrower than Arb's bound differs by more than that one.
            with bounds_from(BoundSource.WIDER_ARRAYS):
                judgement = self._within(gap, self._allowed(gap))
            if judgement.agrees:
                return judgement
        else:
            # What agrees within arrays that are no wider than Arb's bound agrees within that one.
            with bounds_from(BoundSource.NARROWER_ARRAYS):
                narrower = self._allowed(gap)
            if np.isfinite(narrower).all() and (gap <= narrower).all():
                return self._within(gap, narrower)
        return self._within(gap, self._allowed(gap))

    def _allowed(self, gap: Array) -> Array:
        """Add up what is allowed, entry by entry, until it covers the gap; of a negative control, all of it."""
        total = np.zeros(gap.shape)
        for part in self.allowed:
            total = total + np.asarray(part())
            if not self.differs and (gap <= total).all():
                break
        return total

    def _within(self, gap: Array, allowed: Array) -> Judgement:
        """Decide the comparison by how far the sides lie apart, and by what is allowed."""
        worst = float(gap.max())
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(gap > 0, gap / allowed, 0.0)
        place = np.unravel_index(int(np.argmax(shares)), shares.shape)
        error_over_bound, error, bound = float(shares[place]), float(gap[place]), float(allowed[place])
        if self.differs:
            detail = "" if error_over_bound > 1 else f"{self.label}: differ by {worst:.3g}, which is only rounding"
            return Judgement(error_over_bound > 1, detail)
        detail = "" if error_over_bound <= 1 else f"{self.label}: differ by {error:.3g}, allowed {bound:.3g}"
        return Judgement(error_over_bound <= 1, detail, error_over_bound, error, bound)


def identical(label: str, first: Side, second: Side) -> Comparison:
    """Require that the sides are equal bit for bit.

    Args:
        label: Says what is compared, for the detail of a refutation.
        first: One side.
        second: The other side.
    """
    return Comparison(label, first, second)


def close(label: str, first: Side, second: Side, *allowed: Allowed) -> Comparison:
    """Require that the sides are equal within `allowed`.

    Args:
        label: Says what is compared, for the detail of a refutation.
        first: One side.
        second: The other side.
        allowed: Give the largest difference allowed, entry by entry, as a sum; what costs nothing comes first.
    """
    return Comparison(label, first, second, allowed)


def at_most(label: str, first: Side, second: Side, *allowed: Allowed) -> Comparison:
    """Require ``first <= second``, within `allowed`.

    Args:
        label: Says what is compared, for the detail of a refutation.
        first: The lower side.
        second: The upper side.
        allowed: Give by how much `first` may exceed `second`, as a sum; none for not at all.
    """
    return Comparison(label, first, second, allowed, below=True)


def apart(label: str, first: Side, second: Side, *allowed: Allowed) -> Comparison:
    """Require that the sides differ somewhere by more than `allowed`: a negative control.

    Args:
        label: Says what is compared, for the detail of a refutation.
        first: One side.
        second: The other side.
        allowed: Give the difference that rounding can explain, entry by entry, as a sum.
    """
    return Comparison(label, first, second, allowed, differs=True)


def runs_close(a: SubjectRun, b: SubjectRun, select: Callable[[Array], Array] | None = None) -> Iterator[Comparison]:
    """Require that outputs and final states of two runs are equal within rounding.

    Args:
        a: A run.
        b: Another.
        select: Brings an array (T, B, d) of `b` to the order of `a`; nothing is changed if None.

    Yields:
        The outputs, then every final state.
    """
    aligned = select or (lambda value: value)
    yield close(
        "outputs",
        a.run.outputs,
        aligned(b.run.outputs),
        lambda: a.radii.outputs,
        lambda: aligned(b.radii.outputs),
    )
    for name in a.run.finals:
        yield close(
            f"final {name}",
            a.run.finals[name],
            aligned(b.run.finals[name][None])[0],
            lambda: a.radii.finals[name],
            lambda: aligned(b.radii.finals[name][None])[0],
        )
