"""Cells of Keras with states of several widths, or with more than two, as cells with one state that joins them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rnn_harness.attributes import attribute
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.calling_convention import plain_convention
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule

if TYPE_CHECKING:
    from torch import nn


def widths_of_states(state_size: object) -> tuple[int, ...]:
    """Return how many numbers each state of a layer of Keras has in a row.

    Args:
        state_size: What the layer says: a number, the shape of a state, or a list of such.
    """
    return tuple(map(math.prod, _shapes(state_size)))


def _shapes(state_size: object) -> list[tuple[int, ...]]:
    """The shape of each state."""
    sizes = state_size if isinstance(state_size, tuple | list) else (state_size,)
    return [tuple(size) if isinstance(size, tuple | list) else (size,) for size in sizes]


def drive_joined_states(
    layer: nn.Module, make: Callable[[], nn.Module], input_size: int, widths: Sequence[int]
) -> DrivenModule:
    """Drive a cell of Keras by one state that holds all of its states side by side.

    Args:
        layer: The cell as a torch module, called with inputs and its states.
        make: Makes such modules.
        input_size: n.
        widths: The width of each state.

    Raises:
        UsageError: It gives back no states of the widths that it says.
    """
    from rnn_harness.validation.loading.joined_states import JoinedStates, first_fit
    from rnn_harness.validation.loading.state_handing import StateHanding

    joined = first_fit(layer, iter((JoinedStates(input_size, tuple(widths), StateHanding(), ()),)))
    if joined is None:
        shapes = ", ".join(f"(B, {width})" for width in widths)
        name = attribute(layer, "label", str) or "it"
        raise UsageError(
            f"cannot drive {name}: called with inputs (B, {input_size}) and a list of the "
            f"states {shapes} that its state_size says it gave none of these shapes back; expected (output, [states])"
        )
    capabilities = TargetCapabilities(
        calling_convention=plain_convention(False, 1), fixed_sizes=joined.sizes, notes=(joined.note(),)
    )
    # The sizes are its own: they are not those of the state that joins them.
    return DrivenModule(joined.wrap(layer), capabilities, remake=lambda _cell, _sizes: joined.wrap(make()))
