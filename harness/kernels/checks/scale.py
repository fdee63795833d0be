"""What small cases do not reach: a hundred steps, realistic sizes, large states, and gradients of any size."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.arithmetic.assumptions import GRADIENT_SCALES
from rnn_harness.array_types import Array
from rnn_harness.attributes import member
from rnn_harness.cases.case import Case
from rnn_harness.checks.backward import bound as backward_bound
from rnn_harness.checks.check import (
    Check,
    Finding,
    applies_to_all,
    compare_with_array_balls,
    compare_with_balls,
    worst_finding,
)
from rnn_harness.checks.lost_precision import compare_with_probable_bounds
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels.checks.bound_operations import bounded_case
from rnn_harness.kernels.checks.memory_layout import EVERY
from rnn_harness.kernels.checks.parallel_steps import judge_gradients, judge_outputs
from rnn_harness.subjects.case_arrays import draw_arrays

WIDE = ("float64", "float32")
STEPS = 131
"""More than the usual chunks of truncated gradients, and a multiple of none."""
SIZES = {"n": 37, "d": 67, "B": 33, "T": 3}
"""Realistic sizes: each is larger than a vector or a tile, and a multiple of neither."""
SINGLE_STEPS = ((15, 16, 17), (33, 31, 64), (64, 65, 32), (129, 128, 8), (100, 257, 3), (255, 63, 2))
"""Input size, hidden size and rows of single steps: around the edges of the usual tiles."""
LARGE_SINGLE_STEPS = ((127, 256, 16), (17, 32, 63), (512, 100, 4), (1000, 64, 2), (64, 1000, 2), (1024, 1024, 64))
"""More of them, for those who have the time."""
_SIZE_NAMES = {"n": "input size", "d": "hidden size", "B": "batch size"}


def _output_finding(evaluation: Evaluation) -> Finding:
    """Compare the outputs with their bounds."""
    name = evaluation.subject.output_name
    balls = np.stack([step[name] for step in evaluation.balls.steps])
    return compare_with_balls(evaluation.subject.spec.id, f"output {name}", balls, evaluation.run.outputs)


def _within_bounds(evaluation: Evaluation, circumstance: str) -> Finding:
    """Compare outputs, and gradients where there are some, with their bounds."""
    step_by_step = _output_finding(evaluation)
    findings = [judge_outputs(evaluation, step_by_step)]
    if step_by_step.agrees:  # of other outputs no bound of the gradients is known
        with contextlib.suppress(NotRun):  # what has no gradients is judged by its outputs
            findings += [judge_gradients(evaluation, row) for row in backward_bound(evaluation)]
    finding = worst_finding(findings)
    return replace(finding, detail=f"{circumstance}: {finding.detail}" if finding.detail else "")


def _steps(evaluation: Evaluation) -> Iterator[Finding]:
    """Judge a long sequence, and the gradients through all of it, from the first step to the last."""
    steps = min(STEPS, evaluation.options.long_steps + 1)
    small = {} if evaluation.options.fixed_sizes else {"n": 2, "d": 2}
    case = evaluation.case.model_copy(update={"T": steps, "B": 1, "scale": 0.5, "features": (), **small})
    whole = evaluation.on(draw_arrays(case, evaluation.subject))
    step_by_step, gradients = _output_finding(whole), list[Finding]()
    finding = judge_outputs(whole, step_by_step)
    if step_by_step.agrees:  # of other outputs no bound of the gradients is known
        with contextlib.suppress(NotRun):  # what has no gradients is judged by its outputs
            gradients += backward_bound(whole)
        finding = worst_finding([finding, *(judge_gradients(whole, row) for row in gradients)])
    yield replace(finding, detail=f"over {steps} steps: {finding.detail}" if finding.detail else "")


def _sizes(evaluation: Evaluation) -> Iterator[Finding]:
    """Judge realistic sizes within the proved bound; where one is wrong, find out which.

    A few steps at sizes that no tile divides, then single steps at the edges of tiles: there the bound is sharpest,
    since no recurrence amplifies it.
    """
    case = evaluation.case.model_copy(update={**SIZES, "features": ()})
    steps = () if evaluation.options.is_slow else SINGLE_STEPS
    cases = [case, *(case.model_copy(update={"n": n, "d": d, "B": rows, "T": 1}) for n, d, rows in steps)]
    for tried in cases:
        finding = _at_sizes(evaluation, tried)
        yield finding
        if not finding.agrees:
            return


def _at_sizes(evaluation: Evaluation, case: Case) -> Finding:
    """Judge a case; where it is wrong, say with which of the usual sizes it would be right."""
    finding = judge_at(evaluation, case)
    if finding.agrees:
        return finding
    usual = {name: member(evaluation.case, name) for name in _SIZE_NAMES}
    cured = [k for k in usual if judge_at(evaluation, case.model_copy(update={k: usual[k]})).agrees]
    only = "; right with " + ", or with ".join(f"{_SIZE_NAMES[k]} {usual[k]}" for k in cured) if cured else ""
    sizes = ", ".join(f"{name} = {member(case, name)}" for name in (*_SIZE_NAMES, "T"))
    return replace(finding, detail=f"with {sizes}: {finding.detail}{only}")


def judge_at(evaluation: Evaluation, case: Case) -> Finding:
    """Decide whether outputs, final states and gradients of a case of any size lie in their proved bounds.

    Args:
        evaluation: The subject and how it is judged; its own numbers are not used.
        case: The case whose numbers are drawn; its rows may have lengths of their own, and there may be no step.

    Returns:
        The worst finding, with what bounds that are only probable say of numbers that it does not refute.

    Raises:
        NotRun: The bound is not finite, which decides nothing.
    """
    entry = evaluation.subject.spec.id
    bounded = bounded_case(evaluation, draw_arrays(case, evaluation.subject))
    tried, subject = bounded.evaluation, bounded.evaluation.subject
    outputs, finals, gradients = bounded.proved.outputs, bounded.proved.finals, bounded.proved.gradients
    name = subject.output_name
    findings = [compare_with_array_balls(entry, f"the output {name}", outputs, tried.run.outputs)]
    for state, source in subject.states.items() if findings[0].agrees else ():
        if f"finals.{source}" not in tried.absent:
            quantity = f"the final state {source}"
            findings.append(compare_with_array_balls(entry, quantity, finals[state], tried.run.finals[source]))
    computed: dict[str, Array] = {}
    with contextlib.suppress(NotRun):  # what has no gradients is judged by its outputs
        is_right = all(finding.agrees for finding in findings)
        computed = tried.flat_gradients if is_right else {}  # of wrong outputs they are wrong in any case
    missing = Finding(entry, False, "", float("inf"))
    for name in gradients if computed else ():
        quantity = f"the gradient of {name}"
        is_there = name in computed
        findings.append(
            compare_with_array_balls(entry, quantity, gradients[name], computed[name])
            if is_there
            else replace(missing, detail=f"{quantity} is missing")
        )
    worst = worst_finding(findings)
    if not worst.agrees:
        return worst
    judged = {name: computed[name] for name in gradients if name in computed}
    return replace(worst, probable=compare_with_probable_bounds(tried, bounded.probable, judged))


def _states(evaluation: Evaluation) -> Iterator[Finding]:
    """Judge initial states beyond those that gates ever make."""
    if not any(value.any() for value in evaluation.arrays.states.values()):
        raise NotRun("it takes no initial state")
    states = {name: 16 * value for name, value in evaluation.arrays.states.items()}
    for name, value in states.items():
        if f"states.{name}" not in evaluation.absent and value.size > 1:
            value.flat[0], value.flat[1] = 30, -30
    yield _within_bounds(evaluation.on(replace(evaluation.arrays, states=states)), "initial states of up to 30")


def _gradients(evaluation: Evaluation) -> Iterator[Finding]:
    """Judge output gradients many times as large, and as small, as usual: a gradient is linear in them."""
    for scale in GRADIENT_SCALES:
        arrays = replace(
            evaluation.arrays,
            d_outputs=evaluation.arrays.d_outputs * evaluation.arrays.d_outputs.dtype.type(scale),
            d_finals={name: value * value.dtype.type(scale) for name, value in evaluation.arrays.d_finals.items()},
        )
        scaled = evaluation.on(arrays)
        finding = worst_finding([judge_gradients(scaled, row) for row in backward_bound(scaled)])
        detail = f"output gradients {scale:.3g} times the usual: {finding.detail}" if finding.detail else ""
        yield replace(finding, detail=detail)


CHECKS = (
    Check("scale.steps", "kernel", applies_to_all, _steps, dtypes=WIDE, is_large=True),
    Check("scale.sizes", "kernel", applies_to_all, _sizes, dtypes=EVERY, is_large=True),
    Check("scale.states", "kernel", applies_to_all, _states, dtypes=WIDE),
    Check("scale.gradients", "kernel", applies_to_all, _gradients, dtypes=WIDE),
)
