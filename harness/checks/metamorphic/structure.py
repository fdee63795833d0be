"""Stacks and pairs of cells: M-29 to M-32.

Every property takes the subject on the numbers of a case, and yields comparisons that must hold (see the package).
"""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.cell_traits import CellPair, CellStack, Traits
from rnn_harness.checks.metamorphic.comparison import Comparison, close, identical
from rnn_harness.checks.metamorphic.property import metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.references.stacked import Stacked
from rnn_harness.subjects.parameter_role import OUTPUT_LAYER


def _pair(traits: Traits) -> bool:
    return traits.bidirectional


def hidden_states(original: SubjectRun) -> Array:
    """Return the hidden states (T, B, d), below the output layer if there is one; (T, B, 2d) for two directions.

    Args:
        original: The subject on the numbers of a case.
    """
    states: Array = original.run.outputs if original.subject.output is None else original.run.saved[0].outputs
    return states


def _part(values: dict[str, Array], prefix: str) -> dict[str, Array]:
    """Return the values of one layer or direction, without its prefix."""
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _swapped(values: dict[str, Array]) -> dict[str, Array]:
    """Exchange the entries of both directions."""
    renamed = {
        name.replace("forward.", "\0").replace("backward.", "forward.").replace("\0", "backward."): value
        for name, value in values.items()
    }
    return {name: renamed[name] for name in values}


def _bare(original: SubjectRun) -> SubjectRun:
    """Run the subject without its output layer, for properties of the pair itself."""
    parameters = {name: value for name, value in original.arrays.parameters.items() if name not in OUTPUT_LAYER}
    bare = replace(original.subject, output=None)
    return SubjectRun(bare, replace(original.arrays, parameters=parameters, lengths=None), original.options)


def _radius(full: SubjectRun) -> Array:
    """Return the bound of both directions' hidden states, next to each other, (T, B, 2d)."""
    trace = full.radii.trace
    return np.concatenate([trace["forward.hidden_state"], trace["backward.hidden_state"]], axis=2)


@metamorphic_property("time-reversal", "M-29", "reversing time swaps the directions", "rounding", _pair)
def time_reversal(original: SubjectRun) -> Iterator[Comparison]:
    """M-29: Bi(f, b)(rev X) = rev swap Bi(b, f)(X), the initial states swapped too.

    Not bit for bit: a row's place in a matrix product may change how it is summed.

    Args:
        original: A pair of directions; its output layer is left out, and lengths are ignored.
    """
    full = original.at_full_length()
    a = _bare(original)
    b = a.at(
        replace(
            a.arrays,
            inputs=np.ascontiguousarray(a.arrays.inputs[::-1]),
            parameters=_swapped(a.arrays.parameters),
            states=_swapped(a.arrays.states),
        )
    )
    d = a.sizes["d"]
    turned = np.concatenate([b.run.outputs[::-1, :, d:], b.run.outputs[::-1, :, :d]], axis=2)
    if a.run.outputs.shape[2] == 2 * d:
        yield close("outputs", a.run.outputs, turned, lambda: 2 * _radius(full))
    for name, value in _swapped(b.run.finals).items():
        yield close(f"final {name}", a.run.finals[name], value, lambda: 2 * full.radii.finals[name])


@metamorphic_property("directions-are-cells", "M-30", "each half of a pair is the cell by itself", "bitwise", _pair)
def directions_are_cells(original: SubjectRun) -> Iterator[Comparison]:
    """M-30: The forward half is the forward cell; the backward half the backward cell on reversed time.

    Args:
        original: A pair of directions; its output layer is left out, and lengths are ignored.
    """
    a = _bare(original)
    pair = a.subject.cell
    assert isinstance(pair, CellPair), "a subject of two directions has two cells"
    d = a.sizes["d"]
    x = a.arrays.inputs
    ahead = pair.forward_cell.forward(_part(a.arrays.parameters, "forward."), x, _part(a.arrays.states, "forward."))
    reversed_x = np.ascontiguousarray(x[::-1])
    back = pair.backward_cell.forward(
        _part(a.arrays.parameters, "backward."), reversed_x, _part(a.arrays.states, "backward.")
    )
    if a.run.outputs.shape[2] == 2 * d:
        yield identical("forward half", a.run.outputs[..., :d], ahead.outputs)
        yield identical("backward half", a.run.outputs[..., d:], back.outputs[::-1])
    for name, value in ahead.finals.items():
        yield identical(f"final forward {name}", a.run.finals[f"forward.{name}"], value)
    for name, value in back.finals.items():
        yield identical(f"final backward {name}", a.run.finals[f"backward.{name}"], value)


@metamorphic_property("palindrome", "M-31", "a palindrome with equal cells gives a palindrome", "rounding", _pair)
def palindrome(original: SubjectRun) -> Iterator[Comparison]:
    """M-31: X palindromic, equal parameters and initial states: forward at t = backward at T + 1 - t.

    Args:
        original: A pair of directions; the backward cell gets the forward cell's parameters and states, and the
            sequence is followed by its mirror image, 2 T steps.
    """
    a = original.at_full_length()
    x = np.concatenate([a.arrays.inputs, a.arrays.inputs[::-1]])

    def twin(values: dict[str, Array]) -> dict[str, Array]:
        return {name: values[name.replace("backward.", "forward.")] for name in values}

    b = a.at(
        replace(
            a.arrays,
            inputs=np.ascontiguousarray(x),
            d_outputs=np.concatenate([a.arrays.d_outputs, a.arrays.d_outputs]),
            parameters=twin(a.arrays.parameters),
            states=twin(a.arrays.states),
        )
    )
    d = a.sizes["d"]
    both = hidden_states(b)
    if both.shape[2] == 2 * d:
        yield close("outputs", both[..., :d], both[::-1, :, d:], lambda: 2 * _radius(b)[..., :d])
    for name, value in _part(b.run.finals, "forward.").items():
        back = f"backward.{name}"
        yield close(f"final {name}", value, b.run.finals[back], lambda: 2 * b.radii.finals[back])


@metamorphic_property(
    "layer-composition",
    "M-32",
    "a stack is its layers one after the other; a stack of one is the cell",
    "bitwise",
    lambda traits: traits.causal,
)
def layer_composition(original: SubjectRun) -> Iterator[Comparison]:
    """M-32: Layer-major order: every layer over the full sequence, then the next.

    Args:
        original: A stack, whose layers run one by one, or a causal cell, which is put into a stack of one; lengths are
            ignored.
    """
    full = original.at_full_length()
    parameters = {name: value for name, value in full.arrays.parameters.items() if name not in OUTPUT_LAYER}
    cell = full.subject.cell
    if not isinstance(cell, CellStack):
        stack = Stacked((cell,))
        run = stack.forward(
            {f"layer0.{name}": value for name, value in parameters.items()},
            full.arrays.inputs,
            {f"layer0.{name}": value for name, value in full.arrays.states.items()} or None,
        )
        yield identical("outputs", hidden_states(full), run.outputs)
        return
    x = full.arrays.inputs
    for index, layer in enumerate(cell.cells):
        prefix = f"layer{index}."
        run = layer.forward(_part(parameters, prefix), x, _part(full.arrays.states, prefix))
        x = run.outputs
        for name, value in run.finals.items():
            yield identical(f"final {prefix}{name}", full.run.finals[prefix + name], value)
    yield close("outputs", hidden_states(full), x, lambda: 2 * full.radii.outputs)
