"""Precision that was lost: numbers that no proved bound refutes, but that long sums of rounded numbers do not explain.

A proved bound holds for whatever order of summing, and for the worst of all roundings; it grows with the number of
terms, while errors grow with its root. Beside it stands a bound that holds but for a stated probability, if rounding
errors are not biased. What exceeds it is told, and refuted by nothing: see `records/probable_comparison.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_harness.arithmetic.compare_arrays import compare_arrays
from rnn_harness.array_types import Array
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.probable_bounds import ProbableBounds
from rnn_harness.records.probable_comparison import ProbableComparison, joined_comparisons


def compare_with_probable_bounds(
    evaluation: Evaluation, bounds: ProbableBounds, gradients: Mapping[str, Array]
) -> ProbableComparison | None:
    """Compare a subject's numbers, none of which the proved bounds refute, with the probable bounds of them.

    Args:
        evaluation: The subject on a case.
        bounds: The bounds of that case.
        gradients: The subject's gradients by flat name; empty where it has none.

    Returns:
        The worst comparison; None where no bound is finite, or no sum is so long that a bound differs from the proved
        one.
    """
    balls = {f"the output {evaluation.subject.output_name}": (bounds.outputs, evaluation.run.outputs)}
    if gradients:
        balls |= {f"the gradient of {name}": (bounds.gradients[name], gradients[name]) for name in gradients}
    if not bounds.differ:
        return None
    probability, compared = bounds.failure_probability, list[ProbableComparison]()
    for quantity, (ball, computed) in balls.items():
        if ball.is_finite and tuple(np.shape(computed)) == ball.shape:
            share = compare_arrays(ball, computed).error_over_bound
            compared.append(
                ProbableComparison(
                    quantity=quantity,
                    error_over_bound=share,
                    failure_probability=0.0,
                    decided_by="probable bound" if share > 1 else "proved bound",
                )
            )
    worst = joined_comparisons(compared)
    return None if worst is None else worst.model_copy(update={"failure_probability": probability})
