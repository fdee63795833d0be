"""Rows of a batch do not know of each other: M-01, M-02, M-03, and the order of the input's features."""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.checks.metamorphic.cell_traits import everything, input_weights
from rnn_harness.checks.metamorphic.property import Comparison, close, metamorphic_property, runs_close, same
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.checks.metamorphic.transform import along, take
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.parameter_role import parameter_role


def rows_of(arrays: CaseArrays, rows: slice | np.ndarray[tuple[int], np.dtype[np.intp]]) -> CaseArrays:
    """Only those rows of the batch."""
    return replace(
        arrays,
        inputs=np.ascontiguousarray(arrays.inputs[:, rows]),
        states={name: np.ascontiguousarray(value[rows]) for name, value in arrays.states.items()},
        d_outputs=np.ascontiguousarray(arrays.d_outputs[:, rows]),
        d_finals={name: np.ascontiguousarray(value[rows]) for name, value in arrays.d_finals.items()},
        lengths=None if arrays.lengths is None else arrays.lengths[rows],
    )


@metamorphic_property("batch-permutation", "M-01", "permuting the batch permutes the results", "rounding", everything)
def batch_permutation(original: SubjectRun) -> Iterator[Comparison]:
    """S(P X, P s) = P S(X, s)."""
    batch = original.arrays.inputs.shape[1]
    if batch > 1:
        order = np.roll(np.arange(batch), 1)
        back = np.argsort(order)
        yield from runs_close(original, original.at(rows_of(original.arrays, order)), lambda value: value[:, back])


@metamorphic_property(
    "batch-splitting", "M-02", "a batch in two parts gives the same as the whole", "rounding", everything
)
def batch_splitting(original: SubjectRun) -> Iterator[Comparison]:
    """S([X1; X2]) = [S(X1); S(X2)], whatever the sizes of the parts."""
    batch = original.arrays.inputs.shape[1]
    for row in range(batch if batch > 1 else 0):
        rows = slice(row, row + 1)
        alone = original.at(rows_of(original.arrays, rows))
        yield close(
            f"outputs of row {row}",
            original.run.outputs[:, rows],
            alone.run.outputs,
            lambda: original.radii.outputs[:, rows] + alone.radii.outputs,
        )
        for name, value in alone.run.finals.items():
            yield close(
                f"final {name} of row {row}",
                original.run.finals[name][rows],
                value,
                lambda: original.radii.finals[name][rows] + alone.radii.finals[name],
            )


@metamorphic_property("equal-batch-rows", "M-03", "equal rows in, equal rows out", "rounding", everything)
def equal_batch_rows(original: SubjectRun) -> Iterator[Comparison]:
    """A batch of copies of one row gives copies of one result."""
    batch = original.arrays.inputs.shape[1]
    if batch > 1:
        copies = original.at(rows_of(original.arrays, np.zeros(batch, dtype=np.intp)))
        outputs = copies.run.outputs
        yield close("rows", outputs[:, 1:], outputs[:, :1], lambda: 2 * copies.radii.outputs[:, 1:])


@metamorphic_property(
    "input-feature-permutation",
    "M-05",
    "permuting the input features with their weights changes nothing",
    "rounding",
    everything,
)
def input_feature_permutation(original: SubjectRun) -> Iterator[Comparison]:
    """W -> W Q^T, x -> Q x."""
    n = original.sizes["n"]
    if n > 1:
        order = np.roll(np.arange(n), 1)
        arrays = original.arrays
        parameters = along(arrays.parameters, take(order, n), "input")
        inputs = np.ascontiguousarray(arrays.inputs[..., order])
        yield from runs_close(original, original.at(replace(arrays, parameters=parameters, inputs=inputs)))


@metamorphic_property(
    "input-reparametrisation",
    "M-06",
    "an invertible change of the inputs is undone by the weights",
    "rounding",
    everything,
)
def input_reparametrisation(original: SubjectRun) -> Iterator[Comparison]:
    """W -> W A, x -> A^-1 x, with A = 1 + N, N the upper shift: exact on the grain of the draws."""
    n = original.sizes["n"]
    if n > 1 and original.dtype == np.float64:
        arrays = original.arrays
        shift = np.eye(n, dtype=arrays.inputs.dtype) + np.eye(n, k=1, dtype=arrays.inputs.dtype)
        inverse = np.rint(np.linalg.inv(shift.astype(np.float64))).astype(arrays.inputs.dtype)
        parameters = along(arrays.parameters, lambda _n, value, _a, _k: value @ shift, "input")
        changed = replace(arrays, parameters=parameters, inputs=arrays.inputs @ inverse.T)
        yield from runs_close(original, original.at(changed))


@metamorphic_property(
    "bias-as-input-weight", "M-13", "a bias is the weight of a constant input", "rounding", lambda traits: traits.bias
)
def bias_as_input_weight(original: SubjectRun) -> Iterator[Comparison]:
    """Append 1 to x, W' = [W, b], b' = 0."""
    yield from runs_close(original, original.at(with_constant_feature(original.arrays, 1.0)))


@metamorphic_property(
    "bias-in-two-places", "M-14", "a bias may be shared out between two places", "rounding", lambda traits: traits.bias
)
def bias_in_two_places(original: SubjectRun) -> Iterator[Comparison]:
    """Append 1 to x, W' = [W, b/2], b' = b/2."""
    yield from runs_close(original, original.at(with_constant_feature(original.arrays, 0.5)))


@metamorphic_property("one-hot-input", "M-44", "a one-hot input picks a column of the weights", "rounding", everything)
def one_hot_input(original: SubjectRun) -> Iterator[Comparison]:
    """W e_j = W[:, j]: the same as a single feature that is always 1, with that column as its weight."""
    arrays = original.arrays
    n = original.sizes["n"]
    if n > 1:
        picked = n - 1
        code = np.zeros_like(arrays.inputs)
        code[..., picked] = 1
        parameters = along(arrays.parameters, lambda _n, value, axis, _k: value[:, picked : picked + 1], "input")
        a = original.at(replace(arrays, inputs=code))
        b = original.at(replace(arrays, inputs=np.ones_like(arrays.inputs[..., :1]), parameters=parameters))
        yield from runs_close(a, b)


def with_constant_feature(arrays: CaseArrays, part: float) -> CaseArrays:
    """One more input feature, always 1; `part` of every bias beside an input weight moves to its column."""
    parameters = dict(arrays.parameters)
    for weight in input_weights(arrays.parameters):
        bias = arrays.parameters.get(parameter_role(weight).bias.name)
        column = np.zeros(len(arrays.parameters[weight])) if bias is None else bias * part
        parameters[weight] = np.column_stack([arrays.parameters[weight], column]).astype(arrays.inputs.dtype)
        if bias is not None:
            parameters[parameter_role(weight).bias.name] = bias - (bias * part).astype(arrays.inputs.dtype)
    ones = np.ones((*arrays.inputs.shape[:2], 1), arrays.inputs.dtype)
    return replace(arrays, parameters=parameters, inputs=np.concatenate([arrays.inputs, ones], axis=2))


@metamorphic_property(
    "repeatability", "M-45", "a run leaves what it was given alone, and can be repeated", "bitwise", everything
)
def repeatability(original: SubjectRun) -> Iterator[Comparison]:
    """Inputs, states, weights and gradients are intact afterwards; both passes repeat bit for bit."""
    kept = {name: value.copy() for name, value in original.numbers.items()}
    first = original.at(original.arrays)
    outputs = first.run.outputs.copy()
    gradients = {name: value.copy() for name, value in first.gradients.parameters.items()}
    yield same("outputs after the backward", first.run.outputs, outputs)
    for name, value in first.subject.backward(
        first.run, first.arrays.d_outputs, first.arrays.d_finals or None
    ).parameters.items():
        yield same(f"second backward, {name}", value, gradients[name])
    yield same("second forward", original.at(first.arrays).run.outputs, outputs)
    for name, value in first.numbers.items():
        yield same(f"{name} after the run", value, kept[name])


@metamorphic_property(
    "memory-layout", "M-46", "the layout of the arrays in memory does not matter", "rounding", everything
)
def memory_layout(original: SubjectRun) -> Iterator[Comparison]:
    """Fortran order, and slices of larger arrays, give what contiguous arrays give."""

    def spread(
        value: np.ndarray[tuple[int, ...], np.dtype[np.floating]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
        larger = np.zeros((*value.shape[:-1], 2 * value.shape[-1] + 1), value.dtype)
        larger[..., 1::2] = value
        return larger[..., 1::2]

    arrays = original.arrays
    yield from runs_close(
        original,
        original.at(
            replace(
                arrays,
                parameters={name: np.asfortranarray(value) for name, value in arrays.parameters.items()},
                inputs=spread(arrays.inputs),
                states={name: spread(value) for name, value in arrays.states.items()},
            )
        ),
    )


@metamorphic_property(
    "float32-precision",
    "M-47",
    "in float32 the results lie within the float32 bound of the true ones",
    "rounding",
    everything,
)
def float32_precision(original: SubjectRun) -> Iterator[Comparison]:
    """On inputs rounded to float32, the run in float32 and the run in float64 differ by the float32 bound."""
    low = original.in_type("float32")
    high = low.in_type("float64")
    yield from runs_close(low, high)
