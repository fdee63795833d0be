"""What small cases do not reach: a hundred steps, realistic sizes, large states, and gradients of any size."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.arithmetic import NumpyArithmetic, evaluate
from rnn_harness.arithmetic.assumptions import SCREEN, SCREEN_SINGLE
from rnn_harness.cases.case import Case
from rnn_harness.checks.backward import bound as backward_bound
from rnn_harness.checks.check import Check, Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.subjects.case_arrays import draw_arrays

WIDE = ("float64", "float32")
STEPS = 131
"""More than the usual chunks of truncated gradients, and a multiple of none."""
SIZES = {"n": 37, "d": 67, "B": 33, "T": 3}
"""Realistic sizes: each is larger than a vector or a tile, and a multiple of neither."""
_SIZE_NAMES = {"n": "input size", "d": "hidden size", "B": "batch size"}
SCALES = (2.0**40, 2.0**-40)
"""Factors of output gradients."""


def _within_bounds(evaluation: Evaluation, circumstance: str) -> Finding:
    """Compare outputs, and gradients where there are some, with their bounds."""
    name, entry = evaluation.subject.output_name, evaluation.subject.spec.id
    balls = np.stack([step[name] for step in evaluation.balls.steps])
    findings = [compare_with_balls(entry, f"output {name}", balls, evaluation.run.outputs)]
    if findings[0].agrees:  # of wrong outputs the gradients are wrong in any case
        with contextlib.suppress(NotRun):  # what has no gradients is judged by its outputs
            findings += backward_bound(evaluation)
    finding = worst_finding(findings)
    return replace(finding, detail=f"{circumstance}: {finding.detail}" if finding.detail else "")


def _steps(evaluation: Evaluation) -> Iterator[Finding]:
    """Judge a long sequence, and the gradients through all of it, from the first step to the last."""
    steps = min(STEPS, evaluation.options.long_steps + 1)
    small = {} if evaluation.options.fixed_sizes else {"n": 2, "d": 2}
    case = evaluation.case.model_copy(update={"T": steps, "B": 1, "scale": 0.5, "features": (), **small})
    yield _within_bounds(evaluation.on(draw_arrays(case, evaluation.subject)), f"over {steps} steps")


def _sizes(evaluation: Evaluation) -> Iterator[Finding]:
    """Screen realistic sizes against a wider format; where a size is wrong, find out which."""
    if evaluation.options.operands is not None:
        raise NotRun("it shortens the operands of its products: at such sizes nothing is known of the sum's error")
    entry = evaluation.subject.spec.id
    wrong = deviation_at(evaluation, evaluation.case.model_copy(update={**SIZES, "features": ()}))
    sizes = ", ".join(f"{name} = {size}" for name, size in SIZES.items())
    if not wrong:
        yield Finding(entry, True, f"with {sizes}: as in a wider format", 0.0)
        return
    case = evaluation.case
    small = {"n": case.n, "d": case.d, "B": case.B}
    cured = [k for k in small if not deviation_at(evaluation, case.model_copy(update={**SIZES, k: small[k]}))]
    only = "; right with " + ", or with ".join(f"{_SIZE_NAMES[k]} {small[k]}" for k in cured) if cured else ""
    yield Finding(entry, False, f"with {sizes}: {wrong}{only}", float("inf"))


def deviation_at(evaluation: Evaluation, case: Case) -> str:
    """Say what leaves the screen in a case, and by how much; empty if nothing does.

    Args:
        evaluation: The subject and how it is judged; its own numbers are not used.
        case: The case whose numbers are drawn.
    """
    single = "float32" in (case.dtype, evaluation.options.arithmetic)
    arithmetic = NumpyArithmetic(np.float64 if single else np.longdouble)
    tried = evaluation.on(draw_arrays(case, evaluation.subject))
    trajectory = evaluate(tried.program, tried.values, arithmetic)
    computed = {"the output": tried.run.outputs}
    true = {"the output": np.stack([step[tried.subject.output_name] for step in trajectory.steps])}
    with contextlib.suppress(NotRun):
        computed |= {f"the gradient of {name}": value for name, value in tried.flat_gradients.items()}
        rows = tried.gathered(tried.differentiate(trajectory, arithmetic))
        true |= {f"the gradient of {name}": value for name, value in rows.items()}
    for name in computed:
        if computed[name].shape != true[name].shape:
            return f"{name} has shape {computed[name].shape}, expected {true[name].shape}"
        gap, size = np.abs(computed[name] - true[name]), float(np.max(np.abs(true[name]), initial=0.0))
        if not (gap <= (SCREEN_SINGLE if single else SCREEN) * size).all():
            return f"{name} is off by {float(gap.max()):.3g}, its largest entry is {size:.3g}"
    return ""


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
    for scale in SCALES:
        arrays = replace(
            evaluation.arrays,
            d_outputs=evaluation.arrays.d_outputs * evaluation.arrays.d_outputs.dtype.type(scale),
            d_finals={name: value * value.dtype.type(scale) for name, value in evaluation.arrays.d_finals.items()},
        )
        finding = worst_finding(list(backward_bound(evaluation.on(arrays))))
        detail = f"output gradients {scale:.3g} times the usual: {finding.detail}" if finding.detail else ""
        yield replace(finding, detail=detail)


CHECKS = (
    Check("scale.steps", "kernel", applies_to_all, _steps, dtypes=WIDE),
    Check("scale.sizes", "kernel", applies_to_all, _sizes, dtypes=WIDE),
    Check("scale.states", "kernel", applies_to_all, _states, dtypes=WIDE),
    Check("scale.gradients", "kernel", applies_to_all, _gradients, dtypes=WIDE),
)
