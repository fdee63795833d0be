"""Gradients against each other and against the forward: M-37, M-38, M-40, M-43.

Every property takes the subject on the numbers of a case, and yields comparisons that must hold (see the package).
"""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.arithmetic.assumptions import COMPLEX_STEP
from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.batch import rows_of
from rnn_harness.checks.metamorphic.cell_traits import Traits, everything, input_weights
from rnn_harness.checks.metamorphic.comparison import Comparison, close, runs_close
from rnn_harness.checks.metamorphic.inputs import with_constant_feature
from rnn_harness.checks.metamorphic.property import metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun, flat
from rnn_harness.subjects.parameter_role import parameter_role


def _has_softmax(traits: Traits) -> bool:
    return traits.subject.output is not None and traits.subject.output.activation == "softmax"


@metamorphic_property(
    "gradient-additivity",
    "M-37",
    "gradients of a sum are sums of gradients, over steps and over rows",
    "rounding",
    everything,
)
def gradient_additivity(original: SubjectRun) -> Iterator[Comparison]:
    """M-37: The first step's output gradient and the others' apart; then every row apart.

    Args:
        original: Any subject on a case; with one row, B = 1, only the steps are taken apart.
    """
    arrays = original.arrays
    first = np.zeros_like(arrays.d_outputs)
    first[:1] = arrays.d_outputs[:1]
    nothing = {name: np.zeros_like(value) for name, value in arrays.d_finals.items()}
    by_step = [
        original.at(replace(arrays, d_outputs=first, d_finals=nothing)),
        original.at(replace(arrays, d_outputs=arrays.d_outputs - first)),
    ]
    by_row = [original.at(rows_of(arrays, slice(row, row + 1))) for row in range(arrays.inputs.shape[1])]
    for axis, parts in (("steps", by_step), ("rows", by_row if len(by_row) > 1 else [])):
        for name, value in original.gradients.parameters.items() if parts else ():
            yield close(
                f"gradient of {name} over {axis}",
                value,
                sum(part.gradients.parameters[name] for part in parts),
                lambda: 2 * original.gradient_radii.parameters[name],
                *(lambda part=part: part.gradient_radii.parameters[name] for part in parts),
            )


@metamorphic_property("adjoint", "M-38", "backward is the adjoint of forward", "rounding", everything)
def adjoint(original: SubjectRun) -> Iterator[Comparison]:
    """M-38: <J v, w> = <v, J^T w>: J v by a complex step through the subject's own forward, in float64.

    Args:
        original: Any subject on a case whose forward runs on complex numbers; the direction v is drawn from the case's
            seed.
    """
    double = original if original.dtype == np.float64 else original.in_dtype("float64")
    stream = np.random.Generator(np.random.PCG64([double.arrays.case.seed, 38]))
    gradients = flat(double.gradients)
    steps = {name: stream.standard_normal(np.shape(value)) for name, value in gradients.items()}

    def moved(prefix: str, values: dict[str, Array]) -> dict[str, Array]:
        return {name: value + 1j * COMPLEX_STEP * steps[prefix + name] for name, value in values.items()}

    arrays = double.arrays
    stepped = double.at(
        replace(
            arrays,
            parameters=moved("parameters.", arrays.parameters),
            inputs=arrays.inputs + 1j * COMPLEX_STEP * steps["inputs"],
            states=moved("states.", arrays.states),
        )
    )
    with np.errstate(over="ignore", under="ignore"):
        total = np.sum(stepped.run.outputs * arrays.d_outputs)
        for name, value in arrays.d_finals.items():
            total = total + np.sum(stepped.run.finals[name] * value)
    forward = float(np.imag(total)) / COMPLEX_STEP
    backward = sum(float(np.sum(steps[name] * value)) for name, value in gradients.items())

    def allowed() -> float:
        radii = flat(double.gradient_radii)
        return 2 * sum(float(np.sum(abs(steps[name]) * radius)) for name, radius in radii.items())

    yield close("<J v, w> and <v, J^T w>", forward, backward, allowed)


@metamorphic_property(
    "constant-input-gradient",
    "M-40",
    "a constant input's weights have the bias's gradient",
    "rounding",
    lambda t: t.bias,
)
def constant_input_gradient(original: SubjectRun) -> Iterator[Comparison]:
    """M-40: dL/dW[:, j] = dL/db where x_j = 1.

    Args:
        original: A subject with biases; a feature that is always 1, with weight zero, is appended to its inputs.
    """
    wide = original.at(with_constant_feature(original.arrays, 0.0))
    for weight in input_weights(wide.arrays.parameters):
        bias = parameter_role(weight).bias.name
        if bias in wide.gradients.parameters:
            yield close(
                f"gradients of {weight} and {bias}",
                wide.gradients.parameters[weight][:, -1],
                wide.gradients.parameters[bias],
                lambda: wide.gradient_radii.parameters[weight][:, -1],
                lambda: wide.gradient_radii.parameters[bias],
            )


@metamorphic_property(
    "gauge-invariance", "M-40b", "changing inputs and weights against each other moves nothing", "rounding", everything
)
def gauge_invariance(original: SubjectRun) -> Iterator[Comparison]:
    """M-40b: <dL/dW, W A> = <dL/dX, X A^T> for every A (an infinitesimal change of the inputs' coordinates).

    Args:
        original: Any subject on a case; the matrix A (n, n) is drawn from the case's seed.
    """
    n = original.sizes["n"]
    stream = np.random.Generator(np.random.PCG64([original.arrays.case.seed, 40]))
    a = np.round(stream.standard_normal((n, n)) * 8) / 8
    names = input_weights(original.arrays.parameters)
    weights = {name: original.arrays.parameters[name].astype(np.float64) @ a for name in names}
    inputs = original.arrays.inputs.astype(np.float64) @ a.T
    weight_change = sum(float(np.sum(original.gradients.parameters[name] * weights[name])) for name in names)
    input_change = float(np.sum(original.gradients.inputs * inputs))

    def allowed() -> float:
        radii = original.gradient_radii
        total = float(np.sum(radii.inputs * abs(inputs)))
        return 2 * (total + sum(float(np.sum(radii.parameters[m] * abs(weights[m]))) for m in names))

    yield close("<dW, W A> and <dX, X A^T>", weight_change, input_change, allowed)


@metamorphic_property(
    "softmax-shift",
    "M-43",
    "softmax does not see a common shift, and its gradients add up to zero",
    "rounding",
    _has_softmax,
)
def softmax_shift(original: SubjectRun) -> Iterator[Comparison]:
    """M-43: b_y + delta gives the same outputs; the sum over classes of dL/db_y is 0.

    Args:
        original: A subject whose output layer is a softmax over the classes, with a bias b_y.
    """
    parameters = dict(original.arrays.parameters)
    parameters["b_y"] = parameters["b_y"] + parameters["b_y"].dtype.type(0.5)
    yield from runs_close(original, original.at(replace(original.arrays, parameters=parameters)))
    gradient = original.gradients.parameters["b_y"]
    yield close(
        "sum of the gradient of b_y",
        gradient.astype(np.float64).sum(),
        0.0,
        lambda: original.gradient_radii.parameters["b_y"].sum(),
    )
