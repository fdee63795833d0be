"""The hand-written backward against four oracles that share nothing with it: the derived backward in balls,
complex steps, difference quotients of 200-bit values, and torch's autograd, all of the spec's own expression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

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
from rnn_harness.checks.check import Check, Finding, always, merge, within
from rnn_harness.checks.jacobian_entries import entry_pairs
from rnn_harness.evaluation.evaluation import Trial, final_states

Array = NDArray[Any]
_COMPLEX = StepArithmetic()
MOST_ENTRIES = 400
"""Above this many numbers the entries are taken block by block: the rows of one evaluation grow with their square."""


def bound(trial: Trial) -> Iterator[Finding]:
    """Every gradient within its proved bound; where some are not, those that are get told too."""
    found = trial.flat_gradients
    rows = {
        name: within(trial.subject.spec.id, f"gradient {name}", balls, found[name])
        if name in found
        else Finding(trial.subject.spec.id, False, f"gradient {name} is missing")
        for name, balls in trial.gradient_balls.items()
    }
    worst = merge(list(rows.values()))
    if not worst.agrees:
        wrong = ", ".join(name for name, row in rows.items() if not row.agrees)
        right = ", ".join(name for name, row in rows.items() if row.agrees)
        worst = replace(worst, detail=f"{worst.detail}; wrong: {wrong}; right: {right or 'none'}")
    yield worst


def complex_derivative(trial: Trial, direction: dict[str, Array]) -> float:
    """The spec's derivative along `direction` (flat names; absent ones stay), by one complex step."""
    moved = dict(trial.flat_values)
    for name, step in direction.items():
        moved[name] = moved[name] + 1j * COMPLEX_STEP * step
    return float(np.imag(trial.objective(moved, _COMPLEX)) / COMPLEX_STEP)


def _along(trial: Trial, what: str, direction: dict[str, Array]) -> Finding:
    gradients = trial.flat_gradients
    products = [gradients[name] * step for name, step in direction.items()]
    claimed = float(sum(product.sum() for product in products))
    mass = float(sum(np.abs(product).sum() for product in products))
    measured = complex_derivative(trial, direction)
    bound = COMPLEX_STEP_FLOOR * max(mass, abs(measured))
    error = abs(claimed - measured)
    if error > bound:
        # Both sides may cancel where a unit is saturated: what rounding does there, the balls know.
        bound += 2 * sum(float((_radii(trial, name) * np.abs(step)).sum()) for name, step in direction.items())
    agrees = bool(error <= bound)
    detail = "" if agrees else f"along {what} the gradient gives {claimed!r}, a complex step {measured!r}"
    share = 0.0 if error == 0 else error / bound if bound else float("inf")
    return Finding(trial.subject.spec.id, agrees, detail, share, error, bound)


def _radii(trial: Trial, name: str) -> Array:
    balls = trial.gradient_balls[name]
    return np.array([float(arb(ball.rad())) for ball in balls.flat]).reshape(balls.shape)


def _screen(trial: Trial) -> Iterator[Finding]:
    yield _along(trial, "one random direction", trial.directions)


def _blocks(trial: Trial) -> Iterator[Finding]:
    yield merge([_along(trial, name, {name: trial.directions[name]}) for name in trial.flat_values])


def every_entry(trial: Trial) -> Iterator[Finding]:
    """The derivative by every single number, all in one evaluation, each against its own entry of the gradient."""
    rows = []
    for name, claimed, measured in entry_pairs(trial):
        error = np.abs(claimed - measured)
        bound = COMPLEX_STEP_FLOOR * np.maximum(np.abs(claimed), np.abs(measured))
        if (error > bound).any():
            # Both sides may cancel where a unit is saturated: what rounding does there, the balls know.
            bound = bound + 2 * _radii(trial, name)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(error == 0, 0.0, error / bound)
        worst = float(np.max(shares, initial=0.0)) if np.isfinite(error).all() else float("inf")
        detail = ""
        if worst > 1:
            where = np.unravel_index(int(np.argmax(np.nan_to_num(shares, nan=np.inf))), shares.shape)
            place = "".join(f"[{i}]" for i in where)
            detail = (
                f"{name}{place}: the gradient is {float(claimed[where])!r}, a complex step {float(measured[where])!r}"
            )
        rows.append(Finding(trial.subject.spec.id, worst <= 1, detail, worst, float(np.max(error, initial=0.0))))
    yield merge(rows)


def _entries(trial: Trial) -> Iterator[Finding]:
    small = sum(np.size(value) for value in trial.flat_values.values()) <= MOST_ENTRIES
    yield from every_entry(trial) if small else _blocks(trial)


def _quotient(trial: Trial) -> Iterator[Finding]:
    """Central difference of 200-bit values along one direction, against the subject's gradient in its bound."""
    arithmetic = BallArithmetic()
    with arithmetic.scope():
        h = arb(2) ** -QUOTIENT_BITS
        steps = {name: arithmetic.array(step) for name, step in trial.directions.items()}
        start = {name: arithmetic.array(value) for name, value in trial.flat_values.items()}
        ahead = trial.objective({name: start[name] + h * steps[name] for name in start}, arithmetic)
        behind = trial.objective({name: start[name] - h * steps[name] for name in start}, arithmetic)
        quotient = (ahead - behind) / (2 * h)
        claimed, bound = arb(0), exact(QUOTIENT_FLOOR) * (1 + abs(quotient))
        for name, gradient in trial.flat_gradients.items():
            claimed += sum((arithmetic.array(gradient) * steps[name]).flat, arb(0))
            radii = (arb(ball.rad()) * abs(step) for ball, step in _pairs(trial, name, steps))
            bound += sum(radii, arb(0))
        error, limit = float(abs(claimed - quotient).mid()), float(bound.mid())
    agrees = error <= limit
    detail = "" if agrees else f"the gradient gives {float(claimed.mid())!r}, a quotient {float(quotient.mid())!r}"
    yield Finding(trial.subject.spec.id, agrees, detail, error / limit, error, limit)


def _pairs(trial: Trial, name: str, steps: dict[str, Array]) -> Iterable[tuple[arb, arb]]:
    if name not in trial.gradient_balls:
        return ()
    return zip(trial.gradient_balls[name].flat, steps[name].flat, strict=True)


def _autograd(trial: Trial) -> Iterator[Finding]:
    """Torch differentiates the spec's expression; both gradients must lie in the same balls."""
    from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic

    arithmetic = TorchArithmetic(trial.case.dtype)
    trajectory = evaluate(trial.program, trial.values, arithmetic)
    d_outputs, d_finals = trial.spec_cotangents
    finals = final_states(trial.program, trajectory)
    tensor = arithmetic.torch.tensor
    total = sum((finals[name] * tensor(value)).sum() for name, value in d_finals.items())
    for name, value in d_outputs.items():
        for t in range(trial.case.T):
            total = total + (trajectory.steps[t][name] * tensor(value[t])).sum()
    total.backward()
    parameters = {k: v.grad.numpy() for k, v in trajectory.parameters.items() if v.grad is not None}
    torch_found = {f"parameters.{k}": v for k, v in _gather(trial, parameters).items()}
    torch_found["inputs"] = np.stack([step[trial.subject.input_name].grad.numpy() for step in trajectory.inputs])
    for name, source in trial.subject.states.items():
        torch_found[f"states.{source}"] = trajectory.initial[name].grad.numpy()
    own = trial.flat_gradients
    rows = []
    for name, balls in trial.gradient_balls.items():
        theirs = within(trial.subject.spec.id, f"torch's gradient {name}", balls, torch_found[name])
        mine = within(trial.subject.spec.id, f"gradient {name}", balls, own[name])
        if theirs.agrees and not mine.agrees:
            first = middle(balls).flat[0]
            detail = f"{mine.detail}; torch's autograd agrees with the equations (first entry {first:.6g})"
            mine = Finding(mine.entry, False, detail, mine.share, mine.error, mine.bound, mine.bits)
        rows += [theirs, mine]
    yield merge(rows)


def _gather(trial: Trial, found: dict[str, Array]) -> dict[str, Array]:
    return trial.subject.gradients(found, trial.drawn.parameters)


CHECKS = (
    Check("backward.screen", "numeric", always, _screen, dtypes=("float64",)),
    Check("backward.blocks", "numeric", always, _blocks, dtypes=("float64",)),
    Check("backward.entries", "numeric", always, _entries, dtypes=("float64",)),
    Check("backward.bound", "reference", always, bound),
    Check("backward.quotient", "numeric", always, _quotient),
    Check("backward.autograd", "torch", always, _autograd),
)
