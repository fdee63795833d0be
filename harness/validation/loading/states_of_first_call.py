"""States whose shapes a cell shows itself: it makes them where it is given none, and gives back the next ones."""

from __future__ import annotations

import math

import torch
from torch import nn

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size
from rnn_harness.validation.cells.state_form import StateForm, result_leaves
from rnn_harness.validation.loading.joined_states import JoinedStates, first_fit
from rnn_harness.validation.loading.state_handing import StateHanding


def states_of_first_call(cell: nn.Module, sizes: CellSizes) -> JoinedStates | None:
    """Find how the states of a cell are joined that makes them itself; None where no tuple of them comes back.

    Args:
        cell: A cell that can be called with an input alone, and cannot with states of its hidden size.
        sizes: The sizes that it was made for.
    """
    n = sizes.input_size
    rows = distinct_batch_size(*sizes)
    first = next((value for value in cell.parameters() if value.is_floating_point()), None)
    x = torch.zeros(rows, n, dtype=None if first is None else first.dtype)
    try:
        with torch.no_grad():
            result = cell(x)
    except Exception:  # a cell that is called in a wrong way may raise anything
        return None
    if not isinstance(result, tuple) or not isinstance(result[-1], tuple):
        return None
    states = [leaf.tensor for leaf in result_leaves(result[-1])]
    if len(states) < 2 or any(state.dim() < 2 or len(state) != rows for state in states):
        return None
    shapes = tuple(tuple(state.shape[1:]) for state in states)
    widths = tuple(map(math.prod, shapes))
    has_matrix = any(len(shape) > 1 for shape in shapes)
    handing = StateHanding(StateForm("tuple"))
    return first_fit(cell, [JoinedStates(n, widths, handing, (), shapes=shapes if has_matrix else ())])
