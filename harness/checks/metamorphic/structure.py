"""Stacks and pairs of cells: M-29 to M-32."""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.cell_traits import Traits
from rnn_harness.checks.metamorphic.property import Comparison, close, metamorphic_property, same
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.checks.metamorphic.time import whole_of
from rnn_harness.references import Reference
from rnn_harness.references.stacked import Stacked
from rnn_harness.subjects.parameter_role import OUTPUT_LAYER


def _pair(traits: Traits) -> bool:
    return traits.bidirectional


def _cells(original: SubjectRun) -> tuple[Reference, Reference]:
    reference = original.subject.cell
    ahead: Reference = getattr(reference, "forward_cell")  # noqa: B009 - only a pair has it
    back: Reference = getattr(reference, "backward_cell")  # noqa: B009
    return ahead, back


def hidden(original: SubjectRun) -> Array:
    """The hidden states (T, B, .) under the output layer, if there is one."""
    found: Array = original.run.outputs if original.subject.output is None else original.run.saved[0].outputs
    return found


def _part(values: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _swapped(values: dict[str, Array]) -> dict[str, Array]:
    """Both directions' entries exchanged."""
    renamed = {
        name.replace("forward.", "\0").replace("backward.", "forward.").replace("\0", "backward."): value
        for name, value in values.items()
    }
    return {name: renamed[name] for name in values}


def _bare(original: SubjectRun) -> SubjectRun:
    """The run without its output layer, for properties of the pair itself."""
    own = {name: value for name, value in original.arrays.parameters.items() if name not in OUTPUT_LAYER}
    bare = replace(original.subject, output=None)
    return SubjectRun(bare, replace(original.arrays, parameters=own, lengths=None))


def _radius(whole: SubjectRun) -> Array:
    """The bound of both directions' hidden states, side by side."""
    trace = whole.radii.trace
    return np.concatenate([trace["forward.hidden_state"], trace["backward.hidden_state"]], axis=2)


@metamorphic_property("time-reversal", "M-29", "reversing time swaps the directions", "rounding", _pair)
def time_reversal(original: SubjectRun) -> Iterator[Comparison]:
    """Bi(f, b)(rev X) = rev swap Bi(b, f)(X), the initial states swapped too.

    Not bit for bit: a row's place in a matrix product may change how it is summed.
    """
    whole = whole_of(original)
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
        yield close("outputs", a.run.outputs, turned, lambda: 2 * _radius(whole))
    for name, value in _swapped(b.run.finals).items():
        yield close(f"final {name}", a.run.finals[name], value, lambda: 2 * whole.radii.finals[name])


@metamorphic_property("directions-are-cells", "M-30", "each half of a pair is the cell by itself", "bitwise", _pair)
def directions_are_cells(original: SubjectRun) -> Iterator[Comparison]:
    """The forward half is the forward cell; the backward half the backward cell on reversed time."""
    a = _bare(original)
    ahead, back = _cells(a)
    d = a.sizes["d"]
    x = a.arrays.inputs
    one = ahead.forward(_part(a.arrays.parameters, "forward."), x, _part(a.arrays.states, "forward."))
    turned = np.ascontiguousarray(x[::-1])
    two = back.forward(_part(a.arrays.parameters, "backward."), turned, _part(a.arrays.states, "backward."))
    if a.run.outputs.shape[2] == 2 * d:
        yield same("forward half", a.run.outputs[..., :d], one.outputs)
        yield same("backward half", a.run.outputs[..., d:], two.outputs[::-1])
    for name, value in one.finals.items():
        yield same(f"final forward {name}", a.run.finals[f"forward.{name}"], value)
    for name, value in two.finals.items():
        yield same(f"final backward {name}", a.run.finals[f"backward.{name}"], value)


@metamorphic_property("palindrome", "M-31", "a palindrome with equal cells gives a palindrome", "rounding", _pair)
def palindrome(original: SubjectRun) -> Iterator[Comparison]:
    """X palindromic, equal parameters and initial states: forward at t = backward at T + 1 - t."""
    a = whole_of(original)
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
    both = hidden(b)
    if both.shape[2] == 2 * d:
        yield close("outputs", both[..., :d], both[::-1, :, d:], lambda: 2 * _radius(b)[..., :d])
    for name, value in _part(b.run.finals, "forward.").items():
        other = f"backward.{name}"
        yield close(f"final {name}", value, b.run.finals[other], lambda: 2 * b.radii.finals[other])


@metamorphic_property(
    "layer-composition",
    "M-32",
    "a stack is its layers one after the other; a stack of one is the cell",
    "bitwise",
    lambda traits: traits.causal,
)
def layer_composition(original: SubjectRun) -> Iterator[Comparison]:
    """Layer-major order: every layer over the whole sequence, then the next."""
    whole = whole_of(original)
    own = {name: value for name, value in whole.arrays.parameters.items() if name not in OUTPUT_LAYER}
    reference = whole.subject.cell
    cells = getattr(reference, "cells", None)
    if cells is None:
        stack = Stacked((reference,))
        run = stack.forward(
            {f"layer0.{name}": value for name, value in own.items()},
            whole.arrays.inputs,
            {f"layer0.{name}": value for name, value in whole.arrays.states.items()} or None,
        )
        yield same("outputs", hidden(whole), run.outputs)
        return
    x = whole.arrays.inputs
    for index, cell in enumerate(cells):
        prefix = f"layer{index}."
        run = cell.forward(_part(own, prefix), x, _part(whole.arrays.states, prefix))
        x = run.outputs
        for name, value in run.finals.items():
            yield same(f"final {prefix}{name}", whole.run.finals[prefix + name], value)
    yield close("outputs", hidden(whole), x, lambda: 2 * whole.radii.outputs)
