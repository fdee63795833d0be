"""A state that holds several layers, (L, B, d): which axis of a state is which shows in what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.state_form import result_leaves

if TYPE_CHECKING:
    from torch import Tensor

_LAYERS = (2, 3, 4, 5, 6)
"""How many layers are tried where a state has to be given."""


def count_layers(call: Callable[..., object], x: Tensor, d: int) -> int | None:
    """Return how many layers the states have that a target gives back, (L, B, d) each; None if they have one.

    Args:
        call: The target, as it is called.
        x: The inputs (T, B, n).
        d: The hidden size.
    """
    rows = x.shape[1]
    for arguments, expected in _calls(x, d):
        try:
            leaves = [leaf.tensor for leaf in result_leaves(call_target(call, *arguments))]
        except (Exception, SystemExit):  # a target that is called in a wrong way may raise anything
            continue
        if not any(leaf.dim() == 3 and set(leaf.shape[:2]) == {len(x), rows} for leaf in leaves):
            continue  # an axis that the outputs have as well is none of layers
        for leaf in leaves:
            layers = leaf.shape[0] if leaf.dim() == 3 and tuple(leaf.shape[1:]) == (rows, d) else 1
            if layers > 1 and layers != len(x) and expected in (0, layers):
                return int(layers)
    return None


def _calls(x: Tensor, d: int) -> Iterator[tuple[tuple[object, ...], int]]:
    """List arguments to call it with, and how many layers their states have; 0 where none is given."""
    sequences = (x, x.transpose(0, 1).contiguous())
    for inputs in sequences:
        yield (inputs,), 0
    for inputs in sequences:
        for layers in _LAYERS:
            state = x.new_zeros(layers, x.shape[1], d)
            yield (inputs, state), layers
            yield (inputs, (state, state.clone())), layers
