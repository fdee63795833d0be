"""What a check is: a named statement, tried on an evaluation, giving findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from rnn_harness.arithmetic.compare import effective_bits, error_over_bound, worst_bound, worst_error
from rnn_harness.array_types import Array
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.records.verdict import Witness
from rnn_harness.subjects.subject import Subject


@dataclass(frozen=True)
class Finding:
    """What one check found about one entry: agreement, how close to the bound, and where it was worst."""

    entry: str
    agrees: bool
    detail: str = ""
    error_over_bound: float | None = None
    error: float | None = None
    bound: float | None = None
    bits: float | None = None


@dataclass(frozen=True)
class Check:
    """`run` yields findings for a trial; `supports` says whether the subject has what the check needs.

    `kills`: mutants that this check must refute, on its own.
    """

    name: str
    witness: Witness
    supports: Callable[[Subject], bool]
    run: Callable[[Evaluation], Iterator[Finding]]
    kills: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ("float64", "float32")
    lengths: bool = False


def applies_to_all(_: Subject) -> bool:
    """Applies to every subject."""
    return True


def compare_with_balls(entry: str, what: str, balls: Array, computed: Array) -> Finding:
    """Whether `computed` lies in `balls` (object array of arb), entry by entry."""
    computed = np.asarray(computed)
    if computed.shape != balls.shape:
        return Finding(entry, False, f"{what} has shape {computed.shape}, expected {balls.shape}")
    worst, where = error_over_bound(balls, computed)
    detail = ""
    if worst > 1:
        place = "".join(f"[{i}]" for i in where)
        expected = float(balls[where].mid())
        detail = f"{what}{place} is {float(computed[where])!r}, the equation gives {expected!r}"
    return Finding(
        entry,
        worst <= 1,
        detail,
        worst,
        worst_error(balls, computed) if np.isfinite(computed).all() else float("inf"),
        worst_bound(balls),
        effective_bits(balls, computed) if np.isfinite(computed).all() else 0.0,
    )


def worst_finding(findings: list[Finding]) -> Finding:
    """The worst of findings about one entry."""
    return max(findings, key=lambda one: (not one.agrees, one.error_over_bound or 0.0))
