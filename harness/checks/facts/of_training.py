"""Facts of small trainings: what one step, a clipped gradient, or a start does to a cell."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnn_harness.arithmetic.assumptions import COMPLEX_STEP
from rnn_harness.array_types import Array
from rnn_harness.checks.facts.fact import Answer, Fact
from rnn_harness.references import OutputLayer, Reference, Run, cross_entropy, get_reference
from rnn_harness.references.clipping import clip_by_norm


def _drawn(cell: Reference, inputs: int, hidden: int) -> dict[str, Array]:
    """Weights as torch starts them: uniform in plus or minus one over the root of the hidden size."""
    rng = np.random.default_rng(0)
    bound = 1 / math.sqrt(hidden)
    return {name: rng.uniform(-bound, bound, shape) for name, shape in cell.parameter_shapes(inputs, hidden).items()}


def _after_a_step(rate: float) -> tuple[float, float, Run, Run]:
    """Loss before and after one step of gradient descent on a small GRU with a softmax, and both forward passes.

    Forward, cost, backward, update: 003:273-278.
    """
    cell, layer = get_reference("gru"), OutputLayer("softmax")
    weights = _drawn(cell, 2, 4)
    top = {"W_y": np.random.default_rng(1).standard_normal((3, 4)), "b_y": np.zeros(3)}
    rng = np.random.default_rng(2)
    inputs, classes = rng.standard_normal((5, 3, 2)), rng.integers(0, 3, (5, 3))

    def forward(below: Mapping[str, Array], above: Mapping[str, Array]) -> tuple[Run, float, Array]:
        run = cell.forward(below, inputs)
        logits = run.outputs @ above["W_y"].T + above["b_y"]
        loss, slope = cross_entropy(logits, classes)
        return run, loss, slope

    before, first, slope = forward(weights, top)
    d_hidden, d_top = layer.backward_logits(top, before.outputs, slope)
    d_below = cell.backward(before, d_hidden).parameters
    moved = {name: value - rate * d_below[name] for name, value in weights.items()}
    moved_top = {name: value - rate * d_top[name] for name, value in top.items()}
    after, second, _ = forward(moved, moved_top)
    return first, second, before, after


def _a_step_lowers_the_loss(rate: float) -> Answer:
    first, second, _, _ = _after_a_step(rate)
    return Answer(second < first, f"loss {first:.4f}, then {second:.4f} after a step of {rate:g} times the gradient")


def _training_changes_the_gates(rate: float) -> Answer:
    _, _, before, after = _after_a_step(rate)
    changes = {
        name: float(np.abs(after.trace[name] - before.trace[name]).max()) for name in ("reset_gate", "update_gate")
    }
    detail = ", ".join(f"{name.replace('_', ' ')} by up to {change:.2g}" for name, change in changes.items())
    return Answer(all(changes.values()), f"a step of training changes the {detail}")


def _clipping_lets_it_learn(limit: float) -> Answer:
    """Whether descent reaches the target where the gradient explodes: h_t = w h_{t-1} over 20 steps, from w = 3/2.

    The loss (w^20 - 1)^2 / 2 has its minimum at w = 1; its gradient at 3/2 is about 10^8.
    """
    steps, rate, weight = 20, 0.005, 1.5
    first = (weight**steps - 1) ** 2 / 2
    largest = 0.0
    for _ in range(200):
        gradient = {"w": np.array([(weight**steps - 1) * steps * weight ** (steps - 1)])}
        largest = max(largest, abs(float(gradient["w"][0])))
        weight -= rate * float(clip_by_norm(gradient, limit)["w"][0])
        if abs(weight) > 10:
            return Answer(False, f"gradient {largest:.2g}, limit {limit:g}: the weight leaves to {weight:.2g}")
    last = (weight**steps - 1) ** 2 / 2
    return Answer(last < 1 < first, f"gradient {largest:.2g}, limit {limit:g}: loss {first:.2g}, then {last:.2g}")


Start = Callable[[Mapping[str, Array]], Array]
"""Where a sequence starts, as a function of the weights."""


def _start_is_constant(start: Start) -> Answer:
    """Whether the first state stays as it is where the weights change."""
    weights = _drawn(get_reference("rnn"), 2, 3)
    moved = {name: value + 0.125 for name, value in weights.items()}
    change = float(np.abs(start(moved) - start(weights)).max())
    return Answer(change == 0, f"where the weights change, the first state changes by {change:.2g}")


def _zeros(_: Mapping[str, Array]) -> Array:
    return np.zeros((1, 3))


def _left_by_a_window(weights: Mapping[str, Array]) -> Array:
    """The state in which an earlier window ends: where a stateful network starts."""
    return get_reference("rnn").forward(weights, np.ones((4, 1, 2))).finals["h"]


def _candidate_follows_the_input(scale: float) -> Answer:
    """Whether the candidate's slope for the input is larger than for the previous state, as torch starts a GRU.

    Args:
        scale: what the candidate's input weights are multiplied with.
    """
    cell, size = get_reference("gru"), 16
    weights = {name: value.astype(complex) for name, value in _drawn(cell, size, size).items()}
    weights["W_xg"] = weights["W_xg"] * scale
    rng = np.random.default_rng(3)
    x, h = rng.standard_normal(size), rng.uniform(-1, 1, size)
    inputs, states = np.tile(x, (2 * size, 1)).astype(complex), np.tile(h, (2 * size, 1)).astype(complex)
    inputs[:size] += 1j * COMPLEX_STEP * np.eye(size)
    states[size:] += 1j * COMPLEX_STEP * np.eye(size)
    slopes = cell.forward(weights, inputs[None], {"h": states}).trace["candidate"][0].imag / COMPLEX_STEP
    of_input, of_state = (float(np.linalg.norm(part)) for part in (slopes[:size], slopes[size:]))
    return Answer(of_input > of_state, f"slope for the input {of_input:.2f}, for the previous state {of_state:.2f}")


def facts_of_training() -> tuple[Fact[Any], ...]:
    """Return the facts of small trainings."""
    rows: tuple[Fact[Any], ...] = (
        Fact("a-step-lowers-the-loss", _a_step_lowers_the_loss, 0.01, -0.01),
        Fact("training-changes-the-gates", _training_changes_the_gates, 0.01, 0.0),
        Fact("clipping-lets-it-learn", _clipping_lets_it_learn, 1.0, 1e300),
        Fact("start-is-constant", _start_is_constant, _zeros, _left_by_a_window),
        Fact("candidate-follows-the-input", _candidate_follows_the_input, 1.0, 0.0),
    )
    return rows
