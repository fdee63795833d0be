"""The hand-written backward against four oracles that share nothing with it.

The oracles are the derived backward in balls, complex steps, difference quotients of 200-bit values, and torch's
autograd, all of the spec's own expression.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from flint import arb

from rnn_harness.arithmetic import evaluate
from rnn_harness.arithmetic.assumptions import (
    COMPLEX_STEP,
    COMPLEX_STEP_FLOOR,
    QUOTIENT_BITS,
    QUOTIENT_FLOOR,
)
from rnn_harness.arithmetic.ball import BallArithmetic, exact
from rnn_harness.arithmetic.compare import middle
from rnn_harness.arithmetic.complex_step import StepArithmetic
from rnn_harness.array_types import Array
from rnn_harness.checks.check import Check, Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.checks.jacobian_entries import entry_pairs
from rnn_harness.evaluation.evaluation import Evaluation, final_states

_COMPLEX = StepArithmetic()
MOST_ENTRIES = 400
"""Above this many numbers the entries are taken block by block: the rows of one evaluation grow with their square."""


def bound(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare every gradient with its proved bound, and name those outside of it and those within.

    Args:
        evaluation: a subject on a case.

    Yields:
        One finding, about the gradient with the largest error over its bound.
    """
    gradients = evaluation.flat_gradients
    rows = {
        name: compare_with_balls(evaluation.subject.spec.id, f"gradient {name}", balls, gradients[name])
        if name in gradients
        else Finding(evaluation.subject.spec.id, False, f"gradient {name} is missing")
        for name, balls in evaluation.gradient_balls.items()
    }
    worst = worst_finding(list(rows.values()))
    if not worst.agrees:
        wrong = ", ".join(name for name, row in rows.items() if not row.agrees)
        right = ", ".join(name for name, row in rows.items() if row.agrees)
        worst = replace(worst, detail=f"{worst.detail}; wrong: {wrong}; right: {right or 'none'}")
    yield worst


def complex_derivative(evaluation: Evaluation, direction: dict[str, Array]) -> float:
    """Return the spec's derivative along `direction`, by one complex step.

    Args:
        evaluation: the case and the spec.
        direction: by flat name; what is not named stays where it is.
    """
    moved = dict(evaluation.flat_values)
    for name, step in direction.items():
        moved[name] = moved[name] + 1j * COMPLEX_STEP * step
    return float(np.imag(evaluation.objective(moved, _COMPLEX)) / COMPLEX_STEP)


def _along(evaluation: Evaluation, quantity: str, direction: dict[str, Array]) -> Finding:
    gradients = evaluation.flat_gradients
    products = [gradients[name] * step for name, step in direction.items()]
    claimed = float(sum(product.sum() for product in products))
    mass = float(sum(np.abs(product).sum() for product in products))
    measured = complex_derivative(evaluation, direction)
    bound = COMPLEX_STEP_FLOOR * max(mass, abs(measured))
    error = abs(claimed - measured)
    if error > bound:
        # Both sides may cancel where a unit is saturated: what rounding does there, the balls know.
        bound += 2 * sum(float((_radii(evaluation, name) * np.abs(step)).sum()) for name, step in direction.items())
    agrees = bool(error <= bound)
    detail = "" if agrees else f"along {quantity} the gradient gives {claimed!r}, a complex step {measured!r}"
    error_over_bound = 0.0 if error == 0 else error / bound if bound else float("inf")
    return Finding(evaluation.subject.spec.id, agrees, detail, error_over_bound, error, bound)


def _radii(evaluation: Evaluation, name: str) -> Array:
    balls = evaluation.gradient_balls[name]
    return np.array([float(arb(ball.rad())) for ball in balls.flat]).reshape(balls.shape)


def _screen(evaluation: Evaluation) -> Iterator[Finding]:
    """All gradients at once, along one random direction."""
    yield _along(evaluation, "one random direction", evaluation.directions)


def _blocks(evaluation: Evaluation) -> Iterator[Finding]:
    """Each gradient along a random direction of its own."""
    yield worst_finding(
        [_along(evaluation, name, {name: evaluation.directions[name]}) for name in evaluation.flat_values]
    )


def every_entry(evaluation: Evaluation) -> Iterator[Finding]:
    """Decide the derivative by every single number, all in one evaluation, each against its entry of the gradient.

    Args:
        evaluation: a subject on a case of small sizes.
    """
    rows = []
    for name, claimed, measured in entry_pairs(evaluation):
        error = np.abs(claimed - measured)
        bound = COMPLEX_STEP_FLOOR * np.maximum(np.abs(claimed), np.abs(measured))
        if (error > bound).any():
            # Both sides may cancel where a unit is saturated: what rounding does there, the balls know.
            bound = bound + 2 * _radii(evaluation, name)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.where(error == 0, 0.0, error / bound)
        worst = float(np.max(ratios, initial=0.0)) if np.isfinite(error).all() else float("inf")
        detail = ""
        if worst > 1:
            where = np.unravel_index(int(np.argmax(np.nan_to_num(ratios, nan=np.inf))), ratios.shape)
            place = "".join(f"[{i}]" for i in where)
            detail = (
                f"{name}{place}: the gradient is {float(claimed[where])!r}, a complex step {float(measured[where])!r}"
            )
        rows.append(Finding(evaluation.subject.spec.id, worst <= 1, detail, worst, float(np.max(error, initial=0.0))))
    yield worst_finding(rows)


def _entries(evaluation: Evaluation) -> Iterator[Finding]:
    """Every entry where there are few, else block by block."""
    small = sum(np.size(value) for value in evaluation.flat_values.values()) <= MOST_ENTRIES
    yield from every_entry(evaluation) if small else _blocks(evaluation)


def _quotient(evaluation: Evaluation) -> Iterator[Finding]:
    """Central difference of 200-bit values along one direction, against the subject's gradient in its bound."""
    arithmetic = BallArithmetic()
    with arithmetic.scope():
        h = arb(2) ** -QUOTIENT_BITS
        steps = {name: arithmetic.array(step) for name, step in evaluation.directions.items()}
        start = {name: arithmetic.array(value) for name, value in evaluation.flat_values.items()}
        ahead = evaluation.objective({name: start[name] + h * steps[name] for name in start}, arithmetic)
        behind = evaluation.objective({name: start[name] - h * steps[name] for name in start}, arithmetic)
        quotient = (ahead - behind) / (2 * h)
        claimed, bound = arb(0), exact(QUOTIENT_FLOOR) * (1 + abs(quotient))
        for name, gradient in evaluation.flat_gradients.items():
            claimed += sum(np.asarray(arithmetic.array(gradient) * steps[name], dtype=object).flat, arb(0))
            radii = (arb(ball.rad()) * abs(step) for ball, step in _pairs(evaluation, name, steps))
            bound += sum(radii, arb(0))
        error, limit = float(abs(claimed - quotient).mid()), float(bound.mid())
    agrees = error <= limit
    detail = "" if agrees else f"the gradient gives {float(claimed.mid())!r}, a quotient {float(quotient.mid())!r}"
    yield Finding(evaluation.subject.spec.id, agrees, detail, error / limit, error, limit)


def _pairs(evaluation: Evaluation, name: str, steps: dict[str, Array]) -> Iterable[tuple[arb, arb]]:
    if name not in evaluation.gradient_balls:
        return ()
    return zip(evaluation.gradient_balls[name].flat, steps[name].flat, strict=True)


def _autograd(evaluation: Evaluation) -> Iterator[Finding]:
    """Torch differentiates the spec's expression; both gradients must lie in the same balls."""
    from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic

    arithmetic = TorchArithmetic(evaluation.case.dtype)
    trajectory = evaluate(evaluation.program, evaluation.values, arithmetic)
    d_outputs, d_finals = evaluation.spec_cotangents
    finals = final_states(evaluation.program, trajectory)
    tensor = arithmetic.torch.tensor
    total = sum((finals[name] * tensor(value)).sum() for name, value in d_finals.items())
    for name, value in d_outputs.items():
        for t in range(evaluation.case.T):
            total = total + (trajectory.steps[t][name] * tensor(value[t])).sum()
    total.backward()
    parameters = {k: arithmetic.gradient(v) for k, v in trajectory.parameters.items() if v.grad is not None}
    torch_gradients = {f"parameters.{k}": v for k, v in _gather(evaluation, parameters).items()}
    names = evaluation.subject.input_names
    torch_gradients["inputs"] = np.stack(
        [np.concatenate([arithmetic.gradient(step[name]) for name in names], axis=-1) for step in trajectory.inputs]
    )
    for name, source in evaluation.subject.states.items():
        torch_gradients[f"states.{source}"] = arithmetic.gradient(trajectory.initial[name])
    gradients = evaluation.flat_gradients
    rows = []
    for name, balls in evaluation.gradient_balls.items():
        theirs = compare_with_balls(
            evaluation.subject.spec.id, f"torch's gradient {name}", balls, torch_gradients[name]
        )
        mine = compare_with_balls(evaluation.subject.spec.id, f"gradient {name}", balls, gradients[name])
        if theirs.agrees and not mine.agrees:
            first = middle(balls).flat[0]
            detail = f"{mine.detail}; torch's autograd agrees with the equations (first entry {first:.6g})"
            mine = Finding(mine.entry, False, detail, mine.error_over_bound, mine.error, mine.bound, mine.bits)
        rows += [theirs, mine]
    yield worst_finding(rows)


def _gather(evaluation: Evaluation, by_parameter: dict[str, Array]) -> dict[str, Array]:
    """Gradients by reference parameter, of those by spec parameter."""
    return evaluation.subject.gradients(by_parameter, evaluation.arrays.parameters)


CHECKS = (
    Check("backward.screen", "numeric", applies_to_all, _screen, dtypes=("float64",)),
    Check("backward.blocks", "numeric", applies_to_all, _blocks, dtypes=("float64",)),
    Check("backward.entries", "numeric", applies_to_all, _entries, dtypes=("float64",)),
    Check("backward.bound", "reference", applies_to_all, bound),
    Check("backward.quotient", "numeric", applies_to_all, _quotient),
    Check("backward.autograd", "torch", applies_to_all, _autograd),
)
