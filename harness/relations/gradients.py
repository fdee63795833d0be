"""Gradients against each other and against the forward: M-37, M-38, M-40, M-43."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.arithmetic.assumptions import COMPLEX_STEP
from rnn_harness.cases import mapped
from rnn_harness.relations._relation import Comparison, close, relation, runs_close
from rnn_harness.relations._traits import bias_of, everything, input_weights
from rnn_harness.relations.batch import rows_of, with_constant_feature
from rnn_harness.trial import Trial

Array = NDArray[Any]


@relation("M-37", "gradients of a sum are sums of gradients, over steps and over rows", "R", everything, ("backward",))
def additivity(trial: Trial) -> Iterator[Comparison]:
    """The first step's output gradient and the others' apart; then every row apart."""
    drawn = trial.drawn
    first = np.zeros_like(drawn.d_outputs)
    first[:1] = drawn.d_outputs[:1]
    nothing = {name: np.zeros_like(value) for name, value in drawn.d_finals.items()}
    by_step = [
        trial.at(drawn.changed(d_outputs=first, d_finals=nothing)),
        trial.at(drawn.changed(d_outputs=drawn.d_outputs - first)),
    ]
    by_row = [trial.at(rows_of(drawn, slice(row, row + 1))) for row in range(drawn.inputs.shape[1])]
    for what, parts in (("steps", by_step), ("rows", by_row if len(by_row) > 1 else [])):
        for name, value in trial.gradients.parameters.items() if parts else ():
            yield close(
                f"gradient of {name} over {what}",
                value,
                sum(part.gradients.parameters[name] for part in parts),
                lambda name=name, parts=parts: (
                    2 * trial.gradient_enclosure.parameters[name].radius
                    + sum(part.gradient_enclosure.parameters[name].radius for part in parts)
                ),
            )


@relation("M-38", "backward is the adjoint of forward", "R", everything, ("backward",))
def adjoint(trial: Trial) -> Iterator[Comparison]:
    """<J v, w> = <v, J^T w>: J v by a complex step through the subject's own forward, in float64."""
    own = trial if trial.drawn.dtype == np.float64 else trial.at(trial.drawn.as_type("float64"))
    stream = np.random.Generator(np.random.PCG64([own.case.seed, 38]))
    directions: dict[str, Array] = {}

    def step(name: str, value: Array) -> Array:
        if name.startswith("d_"):
            return value
        directions[name] = stream.standard_normal(value.shape)
        return value + 1j * COMPLEX_STEP * directions[name]

    stepped = mapped(own.drawn, step)
    with np.errstate(over="ignore", under="ignore"):
        forward = float(np.imag(own.subject.loss(stepped))) / COMPLEX_STEP
    gradients = own.gradients
    found = {"inputs": gradients.inputs}
    found |= {f"states.{name}": value for name, value in gradients.states.items()}
    found |= {f"parameters.{name}": value for name, value in gradients.parameters.items()}
    backward = sum(float(np.sum(directions[name] * value)) for name, value in found.items())

    def allowed() -> float:
        e = own.gradient_enclosure
        radii = {"inputs": e.inputs} | {f"states.{name}": value for name, value in e.states.items()}
        radii |= {f"parameters.{name}": value for name, value in e.parameters.items()}
        return 2 * sum(float(np.sum(abs(directions[name]) * ball.radius)) for name, ball in radii.items())

    yield close("<J v, w> and <v, J^T w>", forward, backward, allowed)


@relation("M-40", "a constant input's weights have the bias's gradient", "R", lambda t: t.bias, ("bias gradient",))
def tied_gradients(trial: Trial) -> Iterator[Comparison]:
    """dL/dW[:, j] = dL/db where x_j = 1."""
    wide = trial.at(with_constant_feature(trial.drawn, 0.0))
    for weight in input_weights(wide.drawn.parameters):
        bias = bias_of(weight)
        if bias in wide.gradients.parameters:
            yield close(
                f"gradients of {weight} and {bias}",
                wide.gradients.parameters[weight][:, -1],
                wide.gradients.parameters[bias],
                lambda weight=weight, bias=bias: (
                    wide.gradient_enclosure.parameters[weight].radius[:, -1]
                    + wide.gradient_enclosure.parameters[bias].radius
                ),
            )


@relation("M-40b", "changing inputs and weights against each other moves nothing", "R", everything, ("backward",))
def gauge(trial: Trial) -> Iterator[Comparison]:
    """<dL/dW, W A> = <dL/dX, X A^T> for every A (an infinitesimal change of the inputs' coordinates)."""
    n = trial.sizes["n"]
    stream = np.random.Generator(np.random.PCG64([trial.case.seed, 40]))
    a = np.round(stream.standard_normal((n, n)) * 8) / 8
    names = input_weights(trial.drawn.parameters)
    weights = {name: trial.drawn.parameters[name].astype(np.float64) @ a for name in names}
    inputs = trial.drawn.inputs.astype(np.float64) @ a.T
    left = sum(float(np.sum(trial.gradients.parameters[name] * weights[name])) for name in names)
    right = float(np.sum(trial.gradients.inputs * inputs))

    def allowed() -> float:
        enclosure = trial.gradient_enclosure
        total = float(np.sum(enclosure.inputs.radius * abs(inputs)))
        return 2 * (total + sum(float(np.sum(enclosure.parameters[m].radius * abs(weights[m]))) for m in names))

    yield close("<dW, W A> and <dX, X A^T>", left, right, allowed)


@relation("M-43", "softmax does not see a common shift, and its gradients add up to zero", "R",
          lambda traits: traits.subject.output == "softmax", ("softmax",))
def softmax_shift(trial: Trial) -> Iterator[Comparison]:
    """b_y + delta gives the same outputs; the sum over classes of dL/db_y is 0."""
    parameters = dict(trial.drawn.parameters)
    parameters["b_y"] = parameters["b_y"] + parameters["b_y"].dtype.type(0.5)
    yield from runs_close(trial, trial.at(trial.drawn.changed(parameters=parameters)))
    gradient = trial.gradients.parameters["b_y"]
    yield close(
        "sum of the gradient of b_y",
        gradient.astype(np.float64).sum(),
        0.0,
        lambda: trial.gradient_enclosure.parameters["b_y"].radius.sum(),
    )
