"""Torch cells that cannot be called with an input and states of their hidden size, as cells that can be."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments
from rnn_harness.validation.loading.context_inputs import ContextStep
from rnn_harness.validation.loading.context_search import context_step
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.first_call import lacks_weights
from rnn_harness.validation.loading.forward_signature import STATE_NAME, forward_arguments
from rnn_harness.validation.loading.joined_in_space import JoinedInSpace, joined_in_space
from rnn_harness.validation.loading.joined_inputs import JoinedInputs, joined_inputs
from rnn_harness.validation.loading.joined_on_both_sides import JoinedOnBothSides, joined_on_both_sides
from rnn_harness.validation.loading.joined_states import JoinedStates, joined_states, layered_states
from rnn_harness.validation.loading.layout_faults import WrongLayout
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.loading.spatial_states import SpatialStates, spatial_states
from rnn_harness.validation.loading.states_of_first_call import states_of_first_call

if TYPE_CHECKING:
    from torch import nn

Joined: TypeAlias = JoinedStates | JoinedInputs | JoinedOnBothSides | JoinedInSpace | ContextStep | SpatialStates
"""How the states or inputs of a cell are joined, or lie."""

_PARTS_ARE_READ = (
    r"\b{0}\s*\[|\b{0}\.(?:unbind|chunk|split|select)\b|,[^=\n]*=(?:[^\n]*\belse)?\s*{0}\s*$|"
    r"\b(?:zip|enumerate|list|tuple|iter)\([^)\n]*\b{0}\b|\*{0}\b"
)
"""How a forward reads the layers of a state: by their numbers, or all of them."""


def has_further_inputs(joined: Joined) -> bool:
    """Say whether a cell takes inputs beside its first one that are joined to it.

    Args:
        joined: How its states or inputs are joined.
    """
    return isinstance(joined.joined if isinstance(joined, JoinedInSpace) else joined, JoinedInputs | JoinedOnBothSides)


def note_of_joined(joined: Joined, made_for: CellSizes) -> str:
    """Say how the states or inputs of a cell are judged; and where its state has another width than it was made with.

    Args:
        joined: How they are joined.
        made_for: The sizes that the cell was made with.
    """
    if not isinstance(joined, JoinedStates) or len(joined.widths) > 1 or joined.input_size == made_for.input_size:
        return joined.note()
    return (
        f"made with input size {made_for.input_size} and hidden size {made_for.hidden_size}, it gives back a state of "
        f"another width than it is given: widths agree only for inputs of {joined.input_size} and a state of "
        f"{joined.widths[0]} numbers, and with these it is judged"
    )


def joined_cell(cell: Any, sizes: CellSizes, state_names: tuple[str, ...] = ()) -> Joined | None:
    """Find how the states or inputs of a torch cell are joined, or lie; None if it can be called as it is.

    Args:
        cell: A torch cell, as it was made.
        sizes: The sizes that it was made for.
        state_names: What its states are called by the equations that it is held against, where there are any.
    """
    import torch

    if lacks_weights(cell) or isinstance(cell, torch.jit.ScriptModule):
        return None  # no way of calling it was found that makes them; what is compiled has no signature to read
    spatial = spatial_states(copied_module(cell), sizes)
    if spatial is not None:
        return spatial
    if len(required_arguments(cell.forward)) < 2:
        return layers_of_step(cell, sizes)
    in_space = joined_in_space(cell, sizes)
    if in_space is not None:
        return in_space
    try:
        find_convention(in_evaluation(copied_module(cell)), *sizes, is_quick=True, takes_mixed_rows=False)
    except WrongLayout:
        return None
    except Exception:  # a module that is called in a wrong way may raise anything
        if _mixes_rows(cell, sizes):
            return layered_states(copied_module(cell), sizes)
        contexts = context_step(copied_module(cell), sizes)
        if contexts is not None and contexts.has_positions:
            return contexts
        states = joined_states(copied_module(cell), sizes.hidden_size, sizes.input_size, state_names)
        if states is not None and states.widths == (2 * sizes.hidden_size,) and _can_be_called(cell, sizes):
            return None  # two states of its hidden size in one tensor, of which each is judged
        inputs = states or joined_inputs(copied_module(cell), sizes) or contexts
        return inputs or joined_on_both_sides(copied_module(cell), sizes)
    return None


def layers_of_step(cell: nn.Module, sizes: CellSizes) -> JoinedStates | None:
    """Find how the states of a step are joined that are one tensor (L, B, d); None if it can be called in usual ways.

    Args:
        cell: A torch cell, as it was made.
        sizes: The sizes that it was made for.
    """
    arguments = forward_arguments(cell) or ()
    if len(arguments) < 2 or not STATE_NAME.match(arguments[1].name):
        return None
    # What makes its states itself is called where it is identified: that it does not come back counts there alone.
    if not (arguments[1].is_required or _reads_parts(cell, arguments[1].name)):
        return None
    try:
        find_convention(in_evaluation(copied_module(cell)), *sizes, is_quick=True)
    except Exception:  # a module that is called in a wrong way may raise anything
        return layered_states(copied_module(cell), sizes) or states_of_first_call(copied_module(cell), sizes)
    return None


def _reads_parts(cell: nn.Module, name: str) -> bool:
    """Say whether a forward takes an argument apart, as its source has it."""
    try:
        source = inspect.getsource(type(cell).forward)
    except (OSError, TypeError):  # it was made where there is no source
        return False
    return re.search(_PARTS_ARE_READ.format(re.escape(name)), source, re.MULTILINE) is not None


def _mixes_rows(cell: nn.Module, sizes: CellSizes) -> bool:
    """Say whether a cell can be called as usual, but with a batch whose rows are mixed."""
    try:
        find_convention(in_evaluation(copied_module(cell)), *sizes, is_quick=True)
    except Exception:  # a module that is called in a wrong way may raise anything
        return False
    return True


def _can_be_called(cell: nn.Module, sizes: CellSizes) -> bool:
    """Say whether a cell can be called in any of the ways in which cells are that need no joining."""
    try:
        find_convention(in_evaluation(copied_module(cell)), *sizes)
    except Exception:  # a module that is called in a wrong way may raise anything
        return False
    return True
