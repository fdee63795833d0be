"""Which of the tensors that a call gave back are the outputs and the states."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnn_harness.validation.cells.calling_convention import CallingConvention, stacked_steps
from rnn_harness.validation.cells.state_form import Leaf, Merging, result_leaves

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TrialSizes:
    """The sizes of a trial call, no two of which are equal unless the target's own are.

    Attributes:
        n: The length of an input.
        d: The length of a state.
        steps: T.
        rows: B.
    """

    n: int
    d: int
    steps: int
    rows: int

    def shape(self, axes: str) -> tuple[int, ...]:
        """Return the shape of a tensor with these axes.

        Args:
            axes: A letter an axis: ``T``, ``B``, ``n``, ``d``, or ``1``.
        """
        lengths = {"T": self.steps, "B": self.rows, "n": self.n, "d": self.d, "1": 1}
        return tuple(lengths[axis] for axis in axes)


@dataclass(frozen=True)
class ResultPlaces:
    """Where the states stand among the tensors that came back.

    Attributes:
        places: Their numbers, in the order of the states that go in.
        merging: Whether the only one of them holds both states.
    """

    places: tuple[int, ...]
    merging: Merging = ""


def completed_step(convention: CallingConvention, result: object, sizes: TrialSizes) -> CallingConvention | None:
    """Complete the convention of a step by what came back; None if that does not fit.

    Args:
        convention: The convention with which it was called.
        result: What it gave back.
        sizes: The sizes of the call.
    """
    leaves = list(result_leaves(result))
    shape = sizes.shape(convention.state_axes)
    fitting = [i for i, leaf in enumerate(leaves) if tuple(leaf.tensor.shape) == shape]
    merged_shapes: dict[Merging, tuple[int, ...]] = {
        "stacked": (2, *shape),
        "joined": (*shape[:-1], 2 * shape[-1]),
    }
    if convention.states == 2:
        for merging, merged_shape in merged_shapes.items():
            merged = [i for i, leaf in enumerate(leaves) if tuple(leaf.tensor.shape) == merged_shape]
            if len(merged) == 1 and (len(fitting) < 2 or convention.state_form.merging == merging):
                return replace(convention, taken=tuple(merged), merging=merging)
    places = state_places(leaves, fitting, convention)
    if places is None:
        return None
    besides = [i for i in fitting if i not in places]
    if len(besides) != 1:
        return replace(convention, taken=places, output_place=None)
    other_places = _other_outputs(leaves, fitting, convention, besides[0])
    return replace(convention, taken=places, output_place=besides[0], other_outputs=other_places)


def completed_sequence(convention: CallingConvention, result: object, sizes: TrialSizes) -> CallingConvention | None:
    """Complete the convention of a sequence by what came back; None if that does not fit.

    Args:
        convention: The convention with which it was called.
        result: What it gave back.
        sizes: The sizes of the call.
    """
    leaves = list(result_leaves(result))
    axes = convention.output_axes or convention.axes_of_input.replace("n", "d")
    time_first = sizes.shape("TBd" if convention.takes_rows else "Td")
    shape = time_first if convention.input_form == "packed" else sizes.shape(axes)
    first = next((i for i, leaf in enumerate(leaves) if tuple(leaf.tensor.shape) == shape), None)
    if first is None and not convention.listed and len(leaves) >= sizes.steps and isinstance(result, tuple | list):
        try:
            stacked = stacked_steps(result)
        except (TypeError, RuntimeError, IndexError):  # no list of steps
            return None
        listed = replace(convention, listed=True)
        leaves = list(result_leaves(stacked))
        is_list = bool(leaves) and tuple(leaves[0].tensor.shape) == sizes.shape("TBd")
        return _with_finals(listed, leaves, 0, sizes) if is_list else None
    return None if first is None else _with_finals(convention, leaves, first, sizes)


def completed_last_step(convention: CallingConvention, result: object, sizes: TrialSizes) -> CallingConvention | None:
    """Complete the convention of a sequence of which the last output alone comes back; None if that does not fit.

    Args:
        convention: The convention with which it was called.
        result: What it gave back.
        sizes: The sizes of the call.
    """
    leaves = list(result_leaves(result))
    fitting = [i for i, leaf in enumerate(leaves) if is_one_state(leaf.tensor, sizes)]
    over_time = {(sizes.steps, sizes.rows), (sizes.rows, sizes.steps)}
    if any(leaf.tensor.dim() > 2 and tuple(leaf.tensor.shape[:2]) in over_time for leaf in leaves):
        return None  # the outputs of all steps came back, of another size than a state: it is a model
    if not fitting or not convention.takes_rows:
        return None
    places = state_places(leaves, fitting, convention) if convention.states else ()
    if convention.states and places is None:
        return None
    hidden = fitting[0] if len(fitting) > convention.states else (places or tuple(fitting))[0]
    return replace(convention, prefixes=True, taken=(hidden, *(places or ())))


def is_one_state(tensor: torch.Tensor, sizes: TrialSizes) -> bool:
    """Say whether a tensor has the shape of a state, but for axes of length one.

    Args:
        tensor: A tensor that a call gave back.
        sizes: The sizes of the call.
    """
    rows = [sizes.rows] if sizes.rows != 1 else []
    width = [sizes.d] if sizes.d != 1 else []
    return [length for length in tensor.shape if length != 1] == [*rows, *width]


def _with_finals(
    convention: CallingConvention, leaves: Sequence[Leaf], first: int, sizes: TrialSizes
) -> CallingConvention | None:
    """The convention with the places of the outputs and, where they come back, of the final states."""
    one_row = replace(sizes, rows=1) if not convention.takes_rows else sizes
    ends = [i for i, leaf in enumerate(leaves) if i != first and is_one_state(leaf.tensor, one_row)]
    if convention.states == 0:
        return replace(convention, taken=(first, *ends))
    if convention.states == 2 and convention.state_form.merging:
        form = convention.state_form.merging
        shape = sizes.shape(convention.state_axes)
        merged_shape = (2, *shape) if form == "stacked" else (*shape[:-1], 2 * shape[-1])
        merged = [i for i, leaf in enumerate(leaves) if i != first and tuple(leaf.tensor.shape) == merged_shape]
        if len(merged) == 1:
            return replace(convention, taken=(first, *merged), merging=form)
    places = tuple(ends) if len(ends) == convention.states else _own_container(leaves, ends, convention)
    # Of two states, one may come back; of one state, never two.
    is_partial = convention.states == 2 and len(ends) == 1
    return replace(convention, taken=(first, *(places or ()))) if places is not None or not ends or is_partial else None


def state_places(
    leaves: Sequence[Leaf], fitting: Sequence[int], convention: CallingConvention
) -> tuple[int, ...] | None:
    """Find the states among the tensors of their shape.

    Those that come back in a container of their own are the states: ``(h, c), h`` and ``h, (h, c)``. Among as many as
    there are states and one more, one is an output that repeats a state, first or last.

    Args:
        leaves: What came back.
        fitting: The numbers of the tensors that have the shape of a state.
        convention: The convention with which it was called.

    Returns:
        Their numbers in the order of the states that go in; None if there are too few or too many.
    """
    import torch

    states = convention.states
    group = _own_container(leaves, fitting, convention)
    if group is not None:
        return group
    if len(fitting) == states:
        return tuple(fitting)
    if len(fitting) != states + 1:
        return None
    values = [leaves[i].tensor for i in fitting]
    if states == 1 or torch.equal(values[0], values[1]):
        return tuple(fitting[1:])
    return tuple(fitting[:-1])


def _other_outputs(
    leaves: Sequence[Leaf], fitting: Sequence[int], convention: CallingConvention, place: int
) -> tuple[int, ...]:
    """The numbers of the tensors that may be the output as well as the one in a place, the first and the last first.

    There are none where the states come back in a container of their own, or where a tensor repeats another.
    """
    import torch

    pairs = itertools.combinations([leaves[i].tensor for i in fitting], 2)
    if _own_container(leaves, fitting, convention) is not None or any(torch.equal(a, b) for a, b in pairs):
        return ()
    likeliest_first = (fitting[0], fitting[-1], *fitting[1:-1])
    return tuple(i for i in likeliest_first if i != place)


def _own_container(
    leaves: Sequence[Leaf], fitting: Sequence[int], convention: CallingConvention
) -> tuple[int, ...] | None:
    """The states that come back in a container that holds as many tensors of their shape as there are states."""
    groups: dict[tuple[int | str, ...], list[int]] = {}
    for i in fitting:
        groups.setdefault(leaves[i].path[:-1], []).append(i)
    form = convention.state_form
    whole = {path: group for path, group in groups.items() if len(group) == convention.states}
    for group in whole.values():
        by_key = {leaves[i].path[-1]: i for i in group if leaves[i].path}
        if form.keys and set(by_key) == set(form.keys):
            return tuple(by_key[key] for key in form.keys)
    nested = [group for path, group in whole.items() if path]
    if len(nested) == 1 or (nested and len(groups) > 1):
        return tuple(nested[-1])
    return tuple(whole[()]) if () in whole and len(groups) > 1 else None
