"""Changes of parameters that leave a subject's function alone, or change it in a known way.

Dimension legend: n input size, d hidden size, k output size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind, parameter_axes, parameter_role


def along(
    parameters: Mapping[str, Array], change: Callable[[str, Array, int, str], Array], *kinds: str
) -> dict[str, Array]:
    """Every parameter with ``change(name, value, axis, kind)`` applied to each axis of one of `kinds`."""
    found = {}
    for name, value in parameters.items():
        for axis, kind in enumerate(parameter_axes(name)[: value.ndim]):
            if kind in kinds:
                value = change(name, value, axis, kind)
        found[name] = np.ascontiguousarray(value)
    return found


def take(order: IndexArray, d: int) -> Callable[[str, Array, int, str], Array]:
    """Reorder the entries of an axis; an axis that holds both directions is reordered in both halves."""

    def change(_: str, value: Array, axis: int, kind: str) -> Array:
        if kind == "merged" and value.shape[axis] == 2 * d:
            return np.take(value, np.concatenate([order, order + d]), axis=axis)
        return np.take(value, order, axis=axis)

    return change


def permuted(original: SubjectRun, order: IndexArray) -> SubjectRun:
    """Hidden units in another order, everywhere: parameters, states and final gradients."""
    arrays = original.arrays
    change = take(order, original.sizes["d"])
    return original.at(
        replace(
            arrays,
            parameters=along(arrays.parameters, change, "hidden", "below", "merged"),
            states={name: value[:, order] for name, value in arrays.states.items()},
            d_finals={name: value[:, order] for name, value in arrays.d_finals.items()},
            d_outputs=reordered(original, arrays.d_outputs, order),
        )
    )


def reordered(original: SubjectRun, outputs: Array, order: IndexArray) -> Array:
    """Outputs (T, B, .) with the hidden units in another order; those of an output layer stay."""
    if original.subject.output is not None:
        return outputs
    d = original.sizes["d"]
    both = outputs.shape[-1] == 2 * d
    return outputs[..., np.concatenate([order, order + d])] if both else outputs[..., order]


def with_units(original: SubjectRun, columns: Array, sources: IndexArray) -> SubjectRun:
    """Add hidden units: `sources` (m,) says whose rows they copy; `columns` (d + m,) scales what units send.

    States and their gradients are copied from the sources.
    """
    arrays = original.arrays
    d = original.sizes["d"]
    order = np.concatenate([np.arange(d), sources])

    def change(name: str, value: Array, axis: int, kind: str) -> Array:
        grown: Array = np.take(value, order, axis=axis)
        if axis == 0:
            return grown
        shape = [1] * grown.ndim
        shape[axis] = len(order)
        scaled: Array = grown * columns.reshape(shape).astype(grown.dtype)
        return scaled

    return original.at(
        replace(
            arrays,
            parameters=along(arrays.parameters, change, "hidden", "below", "merged"),
            states={name: value[:, order] for name, value in arrays.states.items()},
            d_finals={name: value[:, order] for name, value in arrays.d_finals.items()},
            d_outputs=arrays.d_outputs if original.subject.output is not None else arrays.d_outputs[..., order],
        )
    )


def set_gate(parameters: dict[str, Array], gate: str, value: float, prefix: str = "") -> None:
    """Hold a gate's pre-activation at `value`: its weights become zero, its bias the value. In place."""
    for name in list(parameters):
        role = parameter_role(name)
        if role.prefix != prefix or role.gate != gate or role.in_output_layer:
            continue
        if role.kind is ParameterKind.BIAS:
            parameters[name] = np.full_like(parameters[name], value)
        elif role.kind is not ParameterKind.RECURRENT_BIAS:
            parameters[name] = np.zeros_like(parameters[name])


def without_bias(parameters: Mapping[str, Array]) -> dict[str, Array]:
    """All biases zero, but for the output layer's."""
    return {
        name: np.zeros_like(value) if is_kind(name, ParameterKind.BIAS, ParameterKind.RECURRENT_BIAS) else value
        for name, value in parameters.items()
    }
