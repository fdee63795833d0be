"""The numbers of a case with fewer rows, steps, units, features or classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.subjects.array_sizes import hidden_units
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.parameter_role import parameter_axes
from rnn_harness.subjects.subject import LAYERS, Subject


@dataclass(frozen=True)
class Cut:
    """One way to make the numbers of a case fewer.

    Attributes:
        size: Reads the size off the numbers of a subject.
        smaller: Yields the numbers with that size cut to a smaller one.
    """

    size: Callable[[Subject, CaseArrays], int]
    smaller: Callable[[Subject, CaseArrays, int], Iterator[CaseArrays]]


def _fewer_rows(_: Subject, arrays: CaseArrays, wanted: int) -> Iterator[CaseArrays]:
    """The first rows, then the last ones."""
    for start in (0, arrays.inputs.shape[1] - wanted):
        rows = slice(start, start + wanted)
        yield replace(
            arrays,
            inputs=arrays.inputs[:, rows],
            states={name: value[rows] for name, value in arrays.states.items()},
            d_outputs=arrays.d_outputs[:, rows],
            d_finals={name: value[rows] for name, value in arrays.d_finals.items()},
        )


def _fewer_steps(_: Subject, arrays: CaseArrays, wanted: int) -> Iterator[CaseArrays]:
    """The first steps."""
    yield replace(arrays, inputs=arrays.inputs[:wanted], d_outputs=arrays.d_outputs[:wanted])


def _fewer_units(subject: Subject, arrays: CaseArrays, wanted: int) -> Iterator[CaseArrays]:
    """The first hidden units, in both directions where there are two."""
    old = hidden_units(subject, arrays)
    if subject.spec.reference is None:
        yield _of_declared_sizes(subject, arrays, {"n": arrays.inputs.shape[2], "d": wanted})
        return
    d_outputs = arrays.d_outputs
    if subject.output is None:
        both = [d_outputs] if d_outputs.shape[2] == old else np.split(d_outputs, 2, axis=2)
        d_outputs = np.concatenate([half[..., :wanted] for half in both], axis=2)
    yield replace(
        arrays,
        parameters=_along(arrays, ("hidden", "below", "merged"), old, wanted),
        states={name: value[:, :wanted] for name, value in arrays.states.items()},
        d_outputs=d_outputs,
        d_finals={name: value[:, :wanted] for name, value in arrays.d_finals.items()},
    )


def _fewer_features(subject: Subject, arrays: CaseArrays, wanted: int) -> Iterator[CaseArrays]:
    """The first features of the inputs."""
    smaller = replace(arrays, inputs=arrays.inputs[..., :wanted])
    if subject.spec.reference is None:
        if str(subject.spec.program(LAYERS).inputs[0].shape[0]) == "n":  # else its inputs have the size of its states
            yield _of_declared_sizes(subject, smaller, {"n": wanted, "d": hidden_units(subject, arrays)})
        return
    yield replace(smaller, parameters=_along(arrays, ("input",), arrays.inputs.shape[2], wanted))


def _fewer_classes(_: Subject, arrays: CaseArrays, wanted: int) -> Iterator[CaseArrays]:
    """The first classes of the output layer."""
    parameters = _along(arrays, ("output",), arrays.d_outputs.shape[2], wanted)
    yield replace(arrays, parameters=parameters, d_outputs=arrays.d_outputs[..., :wanted])


def _of_declared_sizes(subject: Subject, arrays: CaseArrays, sizes: Mapping[str, int]) -> CaseArrays:
    """Cut the parameters, states and outputs of a spec without a reference to what it declares at these sizes."""
    shapes, widths = subject.parameter_shapes(sizes), subject.state_sizes(sizes)
    width = arrays.d_outputs.shape[2]
    is_state = width == hidden_units(subject, arrays)
    return replace(
        arrays,
        parameters={
            name: value[tuple(slice(length) for length in shapes[name])] for name, value in arrays.parameters.items()
        },
        states={name: value[:, : widths[name]] for name, value in arrays.states.items()},
        d_outputs=arrays.d_outputs[..., : sizes["d"] if is_state else width],
        d_finals={name: value[:, : widths[name]] for name, value in arrays.d_finals.items()},
    )


def _along(arrays: CaseArrays, cut_axes: tuple[str, ...], old: int, wanted: int) -> dict[str, Array]:
    """A reference's parameters with the axes of those meanings cut to `wanted`, a merged axis in both halves."""
    parameters = {}
    for name, value in arrays.parameters.items():
        for axis, meaning in enumerate(parameter_axes(name)[: value.ndim]):
            if meaning in cut_axes and value.shape[axis] in (old, 2 * old):
                halves = [value] if value.shape[axis] == old else np.split(value, 2, axis=axis)
                cut = [np.take(half, range(wanted), axis=axis) for half in halves]
                value = np.concatenate(cut, axis=axis)
        parameters[name] = value
    return parameters


CUTS = (
    Cut(lambda _, arrays: arrays.inputs.shape[1], _fewer_rows),
    Cut(lambda _, arrays: len(arrays.inputs), _fewer_steps),
    Cut(hidden_units, _fewer_units),
    Cut(lambda _, arrays: arrays.inputs.shape[2], _fewer_features),
    Cut(lambda subject, arrays: arrays.d_outputs.shape[2] if subject.output is not None else 1, _fewer_classes),
)
"""Rows, steps, units, features, classes, in the order in which they are tried."""
