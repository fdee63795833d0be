"""A sequence that is not right step by step may be right as one that is computed in parallel over its steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.arithmetic.compare import middle
from rnn_harness.array_types import Array
from rnn_harness.checks.backward import bound
from rnn_harness.checks.check import Finding, compare_with_array_balls
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.parallel_form import bounds_in_parallel, linear_recurrence

IN_PARALLEL = "outside the bound of going step by step, within that of a form parallel over the steps (a scan, say)"


def judge_outputs(whole: Evaluation, finding: Finding) -> Finding:
    """Judge the outputs of a sequence once more where the equations have a form that is parallel over the steps.

    Args:
        whole: The subject on the sequence.
        finding: What is found where every step is computed from the one before.

    Returns:
        A finding that agrees and says why, if the outputs lie in the bound of the parallel form; else the one given.

    Raises:
        NotRun: The outputs are off by no more than rounding may make of them in a parallel form, but the sequence is so
            long for the format that no bound of it is proved.
    """
    if finding.agrees or not _may_be_in_parallel(whole):
        return finding
    bounds = bounds_in_parallel(whole)
    if bounds is not None and bounds.is_finite:
        outputs = compare_with_array_balls(whole.subject.spec.id, "the outputs", bounds, whole.run.outputs)
        return replace(outputs, detail=IN_PARALLEL) if outputs.agrees else finding
    if is_rounding(whole, finding, [whole.run.outputs]):
        raise NotRun("its steps may be computed in parallel, of which no bound is proved over so many steps")
    return finding


def judge_gradients(whole: Evaluation, finding: Finding) -> Finding:
    """Return a finding about the gradients of a sequence whose outputs are right, if it decides anything.

    Args:
        whole: The subject on the sequence.
        finding: What is found where every step is computed from the one before.

    Raises:
        NotRun: A gradient is off by no more than rounding may make of it in a parallel form, of whose gradients no
            bound is known.
    """
    if finding.agrees or not _may_be_in_parallel(whole):
        return finding
    if is_rounding(whole, finding, whole.flat_gradients.values()):
        raise NotRun("its steps may be computed in parallel, of whose gradients no bound is proved")
    return finding


def gradients_within_bounds(whole: Evaluation) -> Iterator[Finding]:
    """Compare every gradient with its bound, as `backward.bound` does of a reference.

    Args:
        whole: The subject on a case.

    Yields:
        One finding, about the gradient with the largest error over its bound.

    Raises:
        NotRun: No gradient is off by more than rounding may make of it in a parallel form, of whose gradients no bound
            is known.
    """
    for finding in bound(whole):
        if not finding.agrees and "missing" not in finding.detail and _may_be_in_parallel(whole):
            gradients = whole.flat_gradients
            # The largest error of all: that of the finding is the largest in units of its bound.
            errors = (np.abs(gradients[name] - middle(balls)) for name, balls in whole.gradient_balls.items())
            largest = np.max([error.max() for error in errors if error.size], initial=0.0)  # NaN where there is one
            judge_gradients(whole, replace(finding, error=float(largest)))
        yield finding


def _may_be_in_parallel(whole: Evaluation) -> bool:
    """Say whether several steps can be computed at once: one call makes them, of equations linear in their states."""
    return whole.case.T > 1 and not whole.options.is_single_step and linear_recurrence(whole) is not None


def is_rounding(whole: Evaluation, finding: Finding, values: Iterable[Array]) -> bool:
    """Say whether an error is so small that another order of computing may have made it.

    Args:
        whole: The subject on the sequence.
        finding: What is wrong, and by how much.
        values: The arrays among which it was found.
    """
    largest = max((float(abs(value).max()) for value in values if value.size), default=0.0)
    if finding.error is None or not math.isfinite(finding.error):  # infinity is within any share of infinity
        return False
    return finding.error <= STRUCTURAL[whole.case.dtype] * largest
