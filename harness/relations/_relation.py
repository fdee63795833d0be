"""What a metamorphic relation is: a law between runs of one subject, held within derived bounds.

A relation needs no oracle for its verdict's sides: both are runs of the subject (or of a right reference that must
equal it in a limit). What they may differ by is nothing (class B), what rounding allows (class R: each run lies
within its own radius of the truth), or an explicit rate besides that (class L).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.outcomes import Outcome, Verdict
from rnn_harness.relations._traits import Traits
from rnn_harness.trial import Trial

Array = NDArray[Any]
Allowed = Callable[[], Any]


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

    def judge(self) -> Verdict:
        """The verdict, about nothing in particular yet; a comparison of nothing is vacuous."""
        left, right = np.broadcast_arrays(np.asarray(self.left), np.asarray(self.right))
        if left.size == 0:
            return Verdict("", Outcome.VACUOUS, f"{self.what}: nothing to compare")
        if not (np.isfinite(left).all() and np.isfinite(right).all()):
            return Verdict("", Outcome.REFUTED, f"{self.what}: a value is not finite")
        gap = left.astype(np.float64) - right.astype(np.float64)
        gap = np.maximum(gap, 0) if self.below else np.abs(gap)
        worst = float(gap.max())
        if worst == 0.0 and not self.differs:
            return Verdict("", Outcome.AGREES, error=0.0, bound=0.0, share=0.0)
        allowed = np.broadcast_to(np.asarray(self.allowed() if self.allowed else 0.0), gap.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(gap > 0, gap / allowed, 0.0)
        place = np.unravel_index(int(np.argmax(shares)), shares.shape)
        share, bound = float(shares[place]), float(allowed[place])
        if self.differs:
            found = Outcome.AGREES if share > 1 else Outcome.REFUTED
            reason = "" if share > 1 else f"{self.what}: differ by {worst:.3g}, not beyond rounding"
            return Verdict("", found, reason)
        if share <= 1:
            return Verdict("", Outcome.AGREES, "", worst, bound, share)
        text = f"{self.what}: differ by {float(gap[place]):.3g}, allowed {bound:.3g}"
        return Verdict("", Outcome.REFUTED, text, float(gap[place]), bound, share)


Law = Callable[[Trial], Iterator[Comparison]]


@dataclass(frozen=True)
class Relation:
    """One law. `kind`: B bitwise, R within rounding, L with a rate. `kills`: mutants it must find."""

    id: str
    title: str
    kind: str
    applies: Callable[[Traits], bool]
    law: Law
    kills: tuple[str, ...] = ()


def relation(
    identifier: str, title: str, kind: str, applies: Callable[[Traits], bool], kills: tuple[str, ...] = ()
) -> Callable[[Law], Relation]:
    """Decorate a law with its name; the law becomes a `Relation`."""
    return lambda law: Relation(identifier, title, kind, applies, law, kills)


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


def runs_close(a: Trial, b: Trial, select: Callable[[Array], Array] | None = None) -> Iterator[Comparison]:
    """Outputs and finals of two trials, those of `b` brought to `a`'s order by `select` on the batch axis 1."""
    turn = select or (lambda value: value)
    yield close(
        "outputs",
        a.seen.outputs,
        turn(b.seen.outputs),
        lambda: a.enclosure.outputs.radius + turn(b.enclosure.outputs.radius),
    )
    for name in a.seen.finals:
        yield close(
            f"final {name}",
            a.seen.finals[name],
            turn(b.seen.finals[name][None])[0],
            lambda name=name: a.enclosure.finals[name].radius + turn(b.enclosure.finals[name].radius[None])[0],
        )
