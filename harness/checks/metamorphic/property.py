"""What a metamorphic property is: what runs of one subject have to do with each other, within derived bounds.

Both sides are runs: of the subject, or of a right reference that must equal it in a limit. What they may
differ by is nothing (bitwise), what rounding allows (each run is within its radius of the truth), or what an
explicit rate allows besides rounding.
"""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.cell_traits import Traits
from rnn_harness.checks.metamorphic.subject_run import SubjectRun

Allowed = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a comparison holds, and how close to what is allowed it came."""

    agrees: bool
    detail: str = ""
    error_over_bound: float | None = None
    error: float | None = None
    bound: float | None = None


@dataclass(frozen=True)
class Comparison:
    """`left` against `right`; `allowed` gives the radius, and is asked only where they differ at all.

    `differs`: a negative control, the two must differ somewhere by more than allowed. `below`: left must not
    exceed right by more than allowed.
    """

    what: str
    left: Any
    right: Any
    allowed: Allowed | None = None
    differs: bool = False
    below: bool = False

    def judge(self) -> Judgement | None:
        """What came out; None where there is nothing to compare."""
        left, right = np.broadcast_arrays(np.asarray(self.left), np.asarray(self.right))
        if left.size == 0:
            return None
        if not (np.isfinite(left).all() and np.isfinite(right).all()):
            return Judgement(False, f"{self.what}: a value is not finite", float("inf"))
        gap = left.astype(np.float64) - right.astype(np.float64)
        gap = np.maximum(gap, 0) if self.below else np.abs(gap)
        worst = float(gap.max())
        if worst == 0.0 and not self.differs:
            return Judgement(True, error_over_bound=0.0, error=0.0)
        allowed = np.broadcast_to(np.asarray(self.allowed() if self.allowed else 0.0), gap.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(gap > 0, gap / allowed, 0.0)
        place = np.unravel_index(int(np.argmax(shares)), shares.shape)
        error_over_bound, bound = float(shares[place]), float(allowed[place])
        if self.differs:
            detail = "" if error_over_bound > 1 else f"{self.what}: differ by {worst:.3g}, which is only rounding"
            return Judgement(error_over_bound > 1, detail)
        detail = "" if error_over_bound <= 1 else f"{self.what}: differ by {float(gap[place]):.3g}, allowed {bound:.3g}"
        return Judgement(error_over_bound <= 1, detail, error_over_bound, float(gap[place]), bound)


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


def same(what: str, left: Any, right: Any) -> Comparison:
    """Equal bit for bit."""
    return Comparison(what, left, right)


def close(what: str, left: Any, right: Any, allowed: Allowed) -> Comparison:
    """Equal within `allowed`."""
    return Comparison(what, left, right, allowed)


def at_most(what: str, left: Any, right: Any, allowed: Allowed | None = None) -> Comparison:
    """``left <= right``, within `allowed`."""
    return Comparison(what, left, right, allowed, below=True)


def apart(what: str, left: Any, right: Any, allowed: Allowed) -> Comparison:
    """A negative control: somewhere they differ by more than `allowed`."""
    return Comparison(what, left, right, allowed, differs=True)


def runs_close(a: SubjectRun, b: SubjectRun, select: Callable[[Array], Array] | None = None) -> Iterator[Comparison]:
    """Outputs and finals of two runs, those of `b` brought to the order of `a` by `select`."""
    turn = select or (lambda value: value)
    yield close(
        "outputs",
        a.run.outputs,
        turn(b.run.outputs),
        lambda: a.radii.outputs + turn(b.radii.outputs),
    )
    for name in a.run.finals:
        yield close(
            f"final {name}",
            a.run.finals[name],
            turn(b.run.finals[name][None])[0],
            lambda: a.radii.finals[name] + turn(b.radii.finals[name][None])[0],
        )
