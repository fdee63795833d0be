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
from rnn_harness.checks.metamorphic.subject_run import SubjectRun, bounds_in_arrays

Side: TypeAlias = Array | float
"""Numbers that are compared; the two sides of a comparison are broadcast against each other."""
Allowed: TypeAlias = Callable[[], Side]
"""Gives the radius; computing it costs a run in balls, so it is asked only where the sides differ at all."""


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
        allowed: Gives the radius; None for no difference at all.
        differs: Whether it is a negative control: the sides must differ somewhere by more than allowed.
        below: Whether only ``first > second`` counts as a difference.
    """

    label: str
    first: Side
    second: Side
    allowed: Allowed | None = None
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
        if self.allowed is not None and not self.differs:
            # What agrees within arrays that are no wider than Arb's bound agrees within that one.
            with bounds_in_arrays():
                narrower = np.broadcast_to(np.asarray(self.allowed()), gap.shape)
            if np.isfinite(narrower).all() and (gap <= narrower).all():
                return self._within(gap, narrower)
        return self._within(gap, np.broadcast_to(np.asarray(self.allowed() if self.allowed else 0.0), gap.shape))

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


def close(label: str, first: Side, second: Side, allowed: Allowed) -> Comparison:
    """Require that the sides are equal within `allowed`.

    Args:
        label: Says what is compared, for the detail of a refutation.
        first: One side.
        second: The other side.
        allowed: Gives the largest difference allowed, entry by entry.
    """
    return Comparison(label, first, second, allowed)


def at_most(label: str, first: Side, second: Side, allowed: Allowed | None = None) -> Comparison:
    """Require ``first <= second``, within `allowed`.

    Args:
        label: Says what is compared, for the detail of a refutation.
        first: The lower side.
        second: The upper side.
        allowed: Gives by how much `first` may exceed `second`; None for not at all.
    """
    return Comparison(label, first, second, allowed, below=True)


def apart(label: str, first: Side, second: Side, allowed: Allowed) -> Comparison:
    """Require that the sides differ somewhere by more than `allowed`: a negative control.

    Args:
        label: Says what is compared, for the detail of a refutation.
        first: One side.
        second: The other side.
        allowed: Gives the difference that rounding can explain, entry by entry.
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
        lambda: a.radii.outputs + aligned(b.radii.outputs),
    )
    for name in a.run.finals:
        yield close(
            f"final {name}",
            a.run.finals[name],
            aligned(b.run.finals[name][None])[0],
            lambda: a.radii.finals[name] + aligned(b.radii.finals[name][None])[0],
        )
