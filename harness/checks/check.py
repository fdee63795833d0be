"""What a check is: a named relation, tried on an evaluation, giving findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.arithmetic.array_operations import operations_of
from rnn_harness.arithmetic.compare import effective_bits, error_over_bound, worst_bound, worst_error
from rnn_harness.arithmetic.compare_arrays import compare_arrays
from rnn_harness.array_types import Array
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.records.probable_comparison import ProbableComparison, joined_comparisons
from rnn_harness.records.verdict import Witness
from rnn_harness.subjects.subject import Subject


@dataclass(frozen=True)
class Finding:
    """What one check says about one entry.

    Attributes:
        entry: id of the equation, or of the spec for what concerns all of it.
        agrees: whether the check holds.
        detail: where it was worst, and what was expected there.
        error_over_bound: the worst error divided by its bound.
        error: the worst error.
        bound: the bound of the entries compared.
        bits: effective precision.
        probable: how it compares with a bound that holds in all but hardly any case; it refutes nothing.
    """

    entry: str
    agrees: bool
    detail: str = ""
    error_over_bound: float | None = None
    error: float | None = None
    bound: float | None = None
    bits: float | None = None
    probable: ProbableComparison | None = None


@dataclass(frozen=True)
class Check:
    """A relation that can be tried on any subject that supports it.

    Attributes:
        name: id, as ``backward.bound``.
        witness: who speaks.
        supports: whether a subject has what the check needs.
        run: yields the findings of an evaluation; raises NotRun where the case lacks something.
        kills: mutants that this check must refute, on its own.
        dtypes: formats in which it can be decided.
        may_be_refused: whether a subject may raise an error where the check calls it, and is right all the same: for
            no rows, not contiguous memory, a transformation of torch. The check is then not run.
        is_large: whether its numbers are so many that a right subject may need more memory than a process gets here.
    """

    name: str
    witness: Witness
    supports: Callable[[Subject], bool]
    run: Callable[[Evaluation], Iterator[Finding]]
    kills: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ("float64", "float32")
    may_be_refused: bool = False
    is_large: bool = False


def applies_to_all(_: Subject) -> bool:
    """Support every subject.

    Args:
        _: any subject.
    """
    return True


def compare_with_balls(entry: str, quantity: str, balls: Array, computed: Array) -> Finding:
    """Decide whether `computed` lies in `balls`, entry by entry.

    Args:
        entry: what the finding is about.
        quantity: what is compared, in words.
        balls: object array of arb: true values with their bounds.
        computed: what the subject gives, in the same shape.

    Raises:
        NotRun: a bound is not finite, and nothing lies outside of those that are, so that nothing is decided.
    """
    computed = np.asarray(computed)
    if computed.shape != balls.shape:
        return Finding(entry, False, f"{quantity} has shape {computed.shape}, expected {balls.shape}")
    bounded = np.array([ball.is_finite() for ball in balls.flat], dtype=bool).reshape(balls.shape)
    undecided = not bounded.all() and np.isfinite(computed).all()
    if undecided and (not bounded.any() or error_over_bound(balls[bounded], computed[bounded])[0] <= 1):
        raise NotRun(f"{quantity}: the bound of its rounding is not finite, so that nothing is decided")
    worst, where = error_over_bound(balls, computed)
    detail = ""
    if worst > 1:
        place = "".join(f"[{i}]" for i in where)
        expected = float(balls[where].mid())
        detail = f"{quantity}{place} is {float(computed[where])!r}, the equation gives {expected!r}"
    finite = bool(np.isfinite(computed).all())
    return Finding(
        entry,
        worst <= 1,
        detail,
        worst,
        worst_error(balls, computed) if finite else float("inf"),
        worst_bound(balls),
        effective_bits(balls, computed) if finite else 0.0,
    )


def compare_with_array_balls(entry: str, quantity: str, ball: ArrayBall, computed: Array) -> Finding:
    """Decide whether `computed` lies in balls that are arrays, of any size.

    Args:
        entry: what the finding is about.
        quantity: what is compared, in words.
        ball: midpoints and radii.
        computed: what the subject gives, in the same shape; a tensor too where the balls are of torch.

    Raises:
        NotRun: float64 holds no bound of it, so that nothing is decided.
    """
    shape = tuple(np.shape(computed))
    if shape != ball.shape:
        return Finding(entry, False, f"{quantity} has shape {shape}, expected {ball.shape}")
    if not ball.is_finite:
        raise NotRun(f"undecided: no finite bound of {quantity} is known")
    numbers = operations_of(ball.middle).converted(computed)
    found = compare_arrays(ball, numbers)
    detail = ""
    if found.error_over_bound > 1:
        place = "".join(f"[{i}]" for i in found.where)
        value, expected = float(numbers[found.where]), float(ball.middle[found.where])
        detail = f"{quantity}{place} is {value!r}, the equation gives {expected!r}"
    agrees = found.error_over_bound <= 1
    return Finding(entry, agrees, detail, found.error_over_bound, found.error, found.bound, found.bits)


def worst_finding(findings: Sequence[Finding]) -> Finding:
    """Return the worst of findings about one entry: a refutation first, then the largest error over its bound.

    Args:
        findings: at least one.

    Returns:
        The worst, with what the probable bounds of all of them say.
    """
    worst = max(findings, key=lambda finding: (not finding.agrees, finding.error_over_bound or 0.0))
    probable = joined_comparisons(finding.probable for finding in findings)
    return worst if probable is None else replace(worst, probable=probable)


@dataclass(frozen=True)
class EntryCheck:
    """A check of one entry of a document, without any subject.

    Attributes:
        name: id, as ``equation.numeric``.
        witness: who speaks.
        decide: gives the finding; raises NotRun with the reason where there is nothing to decide.
    """

    name: str
    witness: Witness
    decide: Callable[[], Finding]
