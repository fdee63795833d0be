"""Changes of parameters that leave a subject's function alone, or change it in a known way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind, parameter_axes, parameter_role


class AxisChange(Protocol):
    """Changes one axis of a parameter."""

    def __call__(self, name: str, value: Array, axis: int, axis_role: str, /) -> Array:
        """Return the parameter of that name with its axis changed."""


def along(parameters: Mapping[str, Array], change: AxisChange, *axis_roles: str) -> dict[str, Array]:
    """Change every axis that stands for hidden units, input features or the like.

    Args:
        parameters: The parameters by name.
        change: Changes one axis.
        axis_roles: What the axes stand for: ``hidden``, ``below``, ``input``, ``output``, ``merged``.

    Returns:
        All parameters by name, contiguous.
    """
    changed = {}
    for name, value in parameters.items():
        for axis, axis_role in enumerate(parameter_axes(name)[: value.ndim]):
            if axis_role in axis_roles:
                value = change(name, value, axis, axis_role)
        changed[name] = np.ascontiguousarray(value)
    return changed


def take(order: IndexArray, d: int) -> AxisChange:
    """Reorder the entries of an axis.

    Args:
        order: The new order of the d hidden units.
        d: The hidden size; an axis that holds both directions, 2d long, is reordered in both halves.

    Returns:
        The change.
    """

    def change(_: str, value: Array, axis: int, axis_role: str) -> Array:
        if axis_role == "merged" and value.shape[axis] == 2 * d:
            return np.take(value, np.concatenate([order, order + d]), axis=axis)
        return np.take(value, order, axis=axis)

    return change


def permuted(original: SubjectRun, order: IndexArray) -> SubjectRun:
    """Run with the hidden units in another order, everywhere: parameters, states, output and final gradients.

    Args:
        original: The run whose numbers are reordered.
        order: A permutation (d,): new unit i is old unit ``order[i]``.
    """
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
    """Reorder the hidden units in outputs (T, B, d) or (T, B, 2d); the outputs of an output layer stay.

    Args:
        original: The run that says whether there is an output layer, and d.
        outputs: Outputs or output gradients, time first; not changed.
        order: A permutation (d,), used in both directions of a bidirectional cell.
    """
    if original.subject.output is not None:
        return outputs
    d = original.sizes["d"]
    both = outputs.shape[-1] == 2 * d
    return outputs[..., np.concatenate([order, order + d])] if both else outputs[..., order]


def with_units(original: SubjectRun, columns: Array, sources: IndexArray) -> SubjectRun:
    """Run with m more hidden units.

    Args:
        original: A run with d units.
        columns: (d + m,), what each unit's outgoing weights are multiplied by.
        sources: (m,), the units that the new ones copy: their incoming weights, states and gradients.

    Returns:
        The run with d + m units.
    """
    arrays = original.arrays
    d = original.sizes["d"]
    order = np.concatenate([np.arange(d), sources])

    def change(_name: str, value: Array, axis: int, _axis_role: str) -> Array:
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
    """Set a gate's pre-activation to `value`, in place: its weights become zero, its bias the value.

    Args:
        parameters: By name; the entries of the gate are replaced by new arrays.
        gate: The letter of the gate.
        value: The pre-activation.
        prefix: The layer or direction with its dot, such as ``layer0.``; empty for a single cell.
    """
    for name in list(parameters):
        role = parameter_role(name)
        if role.prefix != prefix or role.gate != gate or role.in_output_layer:
            continue
        if role.kind is ParameterKind.BIAS:
            parameters[name] = np.full_like(parameters[name], value)
        elif role.kind is not ParameterKind.RECURRENT_BIAS:
            parameters[name] = np.zeros_like(parameters[name])


def without_bias(parameters: Mapping[str, Array]) -> dict[str, Array]:
    """Return the parameters with all biases zero, except the output layer's.

    Args:
        parameters: By name; not changed.
    """
    return {
        name: np.zeros_like(value) if is_kind(name, ParameterKind.BIAS, ParameterKind.RECURRENT_BIAS) else value
        for name, value in parameters.items()
    }
