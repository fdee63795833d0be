"""Symmetries of the hidden units: order, sign, splitting, joining. M-04, M-07, M-33 to M-35, M-41.

Every property takes the subject on the numbers of a case, and yields comparisons that must hold (see the package).
"""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.cell_traits import Traits, everything
from rnn_harness.checks.metamorphic.comparison import Comparison, close, identical, runs_close
from rnn_harness.checks.metamorphic.property import metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.checks.metamorphic.transform import along, permuted, reordered, take, with_units, without_bias
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind, parameter_axes, parameter_role


def _single_recurrent(traits: Traits) -> bool:
    return traits.single and traits.recurrent


@metamorphic_property(
    "hidden-unit-permutation", "M-04", "permuting the hidden units permutes the states", "rounding", everything
)
def hidden_unit_permutation(original: SubjectRun) -> Iterator[Comparison]:
    """M-04: W -> P W, U -> P U P^T, b -> P b, p -> P p, s -> P s.

    Args:
        original: Any subject on a case; with one hidden unit, d = 1, nothing is yielded.
    """
    d = original.sizes["d"]
    if d > 1:
        order = np.roll(np.arange(d), 1)
        transformed = permuted(original, order)
        yield close(
            "outputs",
            reordered(original, original.run.outputs, order),
            transformed.run.outputs,
            lambda: reordered(original, original.radii.outputs, order),
            lambda: transformed.radii.outputs,
        )
        for name, value in original.run.finals.items():
            yield close(
                f"final {name}",
                value[:, order],
                transformed.run.finals[name],
                lambda: original.radii.finals[name][:, order],
                lambda: transformed.radii.finals[name],
            )


@metamorphic_property("gradient-permutation", "M-41", "gradients are permuted like the weights", "rounding", everything)
def gradient_permutation(original: SubjectRun) -> Iterator[Comparison]:
    """M-41: The gradient for P U P^T is P (gradient for U) P^T, and so on.

    Args:
        original: Any subject on a case; with one hidden unit, d = 1, nothing is yielded.
    """
    d = original.sizes["d"]
    if d > 1:
        order = np.roll(np.arange(d), 1)
        transformed = permuted(original, order)
        turned = along(original.gradients.parameters, take(order, d), "hidden", "below", "merged")
        for name, value in turned.items():
            yield close(
                f"gradient of {name}",
                value,
                transformed.gradients.parameters[name],
                lambda: along(
                    {name: original.gradient_radii.parameters[name]},
                    take(order, d),
                    "hidden",
                    "below",
                    "merged",
                )[name],
                lambda: transformed.gradient_radii.parameters[name],
            )


@metamorphic_property(
    "hidden-unit-sign-change",
    "M-07",
    "hidden units may change sign when tanh is odd",
    "bitwise",
    lambda traits: traits.odd,
)
def hidden_unit_sign_change(original: SubjectRun) -> Iterator[Comparison]:
    """M-07: D = diag(+-1): candidate rows D, U -> U D, peepholes p D give h -> D h, c -> D c, bit for bit.

    Args:
        original: A subject whose candidates and states pass through odd functions alone; every second unit changes
            sign.
    """
    arrays = original.arrays
    d = original.sizes["d"]
    signs = np.where(np.arange(d) % 2 == 0, -1.0, 1.0).astype(arrays.inputs.dtype)

    def flip(name: str, value: Array, axis: int, axis_role: str) -> Array:
        peephole = is_kind(name, ParameterKind.PEEPHOLE)
        if axis == 0 and axis_role == "hidden":
            diagonal = peephole and value.ndim == 1
            if not parameter_role(name).feeds_candidate and not diagonal:
                return value
        both = np.concatenate([signs, signs]) if value.shape[axis] == 2 * d and axis_role == "merged" else signs
        shape = [1] * value.ndim
        shape[axis] = len(both)
        flipped: Array = value * both.reshape(shape)
        return flipped

    transformed = original.at(
        replace(
            arrays,
            parameters=along(arrays.parameters, flip, "hidden", "below", "merged"),
            states={name: value * signs for name, value in arrays.states.items()},
        )
    )
    for name, value in original.run.finals.items():
        yield _mirrored(original, transformed, name, value * signs, transformed.run.finals[name])


@metamorphic_property(
    "odd-function",
    "M-07b",
    "a tanh RNN without bias is an odd function",
    "bitwise",
    lambda t: t.rnn is not None and t.odd,
)
def odd_function(original: SubjectRun) -> Iterator[Comparison]:
    """M-07b: S(-X, -h) = -S(X, h).

    Args:
        original: A tanh RNN, whose biases are set to zero.
    """
    arrays = replace(original.arrays, parameters=without_bias(original.arrays.parameters))
    a = original.at(arrays)
    b = original.at(
        replace(arrays, inputs=-arrays.inputs, states={name: -value for name, value in arrays.states.items()})
    )
    for name, value in a.run.finals.items():
        yield _mirrored(a, b, name, value, -b.run.finals[name])


def _mirrored(a: SubjectRun, b: SubjectRun, name: str, first: Array, second: Array) -> Comparison:
    """Compare bit for bit where tanh is NumPy's or torch's; another tanh may be odd up to rounding alone."""
    if a.has_library_functions or np.array_equal(first, second):
        return identical(f"final {name}", first, second)
    return close(f"final {name}", first, second, lambda: a.radii.finals[name], lambda: b.radii.finals[name])


@metamorphic_property(
    "block-diagonal-weights",
    "M-33",
    "two cells side by side are one cell with block-diagonal weights",
    "rounding",
    _single_recurrent,
)
def block_diagonal_weights(original: SubjectRun) -> Iterator[Comparison]:
    """M-33: The direct sum of the cell and of itself with its units in another order.

    Args:
        original: A single recurrent cell of d units; the joint cell has 2 d.
    """
    arrays = original.arrays
    d = original.sizes["d"]
    order = np.roll(np.arange(d), 1)
    transformed = permuted(original, order)

    def joined(name: str) -> Array:
        weight, permuted_weight = arrays.parameters[name], transformed.arrays.parameters[name]
        if parameter_axes(name)[: weight.ndim] == ("hidden", "hidden"):
            zero = np.zeros_like(weight)
            return np.block([[weight, zero], [zero, permuted_weight]])
        if is_kind(name, ParameterKind.OUTPUT):
            return np.concatenate([weight, np.zeros_like(permuted_weight)], axis=1)
        return weight if is_kind(name, ParameterKind.OUTPUT_BIAS) else np.concatenate([weight, permuted_weight], axis=0)

    joint = original.at(
        replace(
            arrays,
            parameters={name: joined(name) for name in arrays.parameters},
            states={
                name: np.concatenate([value, transformed.arrays.states[name]], axis=1)
                for name, value in arrays.states.items()
            },
            d_finals={
                name: np.concatenate([value, transformed.arrays.d_finals[name]], axis=1)
                for name, value in arrays.d_finals.items()
            },
            d_outputs=arrays.d_outputs
            if original.subject.output is not None
            else np.concatenate([arrays.d_outputs, transformed.arrays.d_outputs], axis=2),
        )
    )
    for name, value in original.run.finals.items():
        both = np.concatenate([value, value[:, order]], axis=1)
        yield close(
            f"final {name}",
            both,
            joint.run.finals[name],
            lambda: np.concatenate(
                [
                    original.radii.finals[name],
                    original.radii.finals[name][:, order],
                ],
                axis=1,
            ),
            lambda: joint.radii.finals[name],
        )


@metamorphic_property(
    "silent-unit", "M-34", "a unit that sends nothing leaves the others alone", "rounding", _single_recurrent
)
def silent_unit(original: SubjectRun) -> Iterator[Comparison]:
    """M-34: One more unit, a copy of the first, whose outgoing weights are zero.

    Args:
        original: A single recurrent cell of d units; the larger cell has d + 1.
    """
    d = original.sizes["d"]
    sends = np.ones(d + 1)
    sends[d] = 0
    yield from _grown(original, with_units(original, sends, np.zeros(1, dtype=np.intp)))


@metamorphic_property(
    "unit-splitting", "M-35", "a unit may be split in two that send half each", "rounding", _single_recurrent
)
def unit_splitting(original: SubjectRun) -> Iterator[Comparison]:
    """M-35: Unit 0 twice, its outgoing weights halved.

    Args:
        original: A single recurrent cell of d units; the larger cell has d + 1.
    """
    d = original.sizes["d"]
    sends = np.ones(d + 1)
    sends[0] = sends[d] = 0.5
    yield from _grown(original, with_units(original, sends, np.zeros(1, dtype=np.intp)))


def _grown(original: SubjectRun, larger: SubjectRun) -> Iterator[Comparison]:
    d = original.sizes["d"]
    for name, value in original.run.finals.items():
        yield close(
            f"final {name}",
            value,
            larger.run.finals[name][:, :d],
            lambda: original.radii.finals[name],
            lambda: larger.radii.finals[name][:, :d],
        )
    if original.subject.output is not None:
        yield from runs_close_outputs(original, larger)


def runs_close_outputs(original: SubjectRun, transformed: SubjectRun) -> Iterator[Comparison]:
    """Require that the outputs of two runs are equal within rounding.

    Args:
        original: A run.
        transformed: A run with outputs of the same shape.
    """
    comparisons = runs_close(original, transformed)
    yield next(comparisons)
