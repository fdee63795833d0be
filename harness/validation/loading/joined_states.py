"""A torch cell with three or four states, or with some of several widths, as a cell with one state that joins them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size
from rnn_harness.validation.cells.state_form import result_leaves
from rnn_harness.validation.loading.parameter_exchange import in_evaluation

_MOST_WIDTHS, _MOST_CALLS = 8, 3000


@dataclass(frozen=True)
class JoinedStates:
    """How the states of a cell are joined.

    Attributes:
        input_size: n.
        widths: The width of each state, in the order in which they go in.
        in_a_tuple: Whether they go in as one tuple; else each is an argument.
        first: The number of the first state among the tensors that come back; the others follow it.
        has_output: Whether the one tensor before them is an output that is none of them.
    """

    input_size: int
    widths: tuple[int, ...]
    in_a_tuple: bool
    first: int
    has_output: bool = False

    @property
    def sizes(self) -> CellSizes:
        """The input size, and the width of all states together."""
        return CellSizes(self.input_size, sum(self.widths))

    def call(self, cell: nn.Module, x: Tensor, joined: Tensor) -> list[Tensor]:
        """Return every tensor that a cell gives.

        Args:
            cell: A torch cell that takes its states apart.
            x: Inputs (B, n).
            joined: Its states side by side, (B, sum of the widths).
        """
        states = torch.split(joined, list(self.widths), -1)
        result = cell(x, states if len(states) > 1 else states[0]) if self.in_a_tuple else cell(x, *states)
        return [leaf.tensor for leaf in result_leaves(result)]

    def wrap(self, cell: nn.Module) -> CellOfOneState:
        """Return a cell as one with one state.

        Args:
            cell: A torch cell that takes its states apart.
        """
        return CellOfOneState(cell, self)

    def note(self) -> str:
        """Say that states are joined."""
        return f"its states, of widths {', '.join(map(str, self.widths))}, are judged side by side as one"


class CellOfOneState(nn.Module):
    """A cell whose states are joined to one.

    Attributes:
        cell: A torch cell that takes its states apart.
        joined: How its states are joined.
    """

    def __init__(self, cell: nn.Module, joined: JoinedStates) -> None:
        """Wrap the cell.

        Args:
            cell: A torch cell that takes its states apart.
            joined: How its states are joined.
        """
        super().__init__()
        self.cell, self.joined = cell, joined

    def forward(self, x: Tensor, state: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Return the next states, joined; behind an output that is none of them.

        Args:
            x: Inputs (B, n).
            state: All states side by side.
        """
        first, results = self.joined.first, self.joined.call(self.cell, x, state)
        states = torch.cat(results[first : first + len(self.joined.widths)], -1)
        return (results[0], states) if self.joined.has_output else states


def joined_states(cell: nn.Module, hidden_size: int, input_size: int = 0) -> JoinedStates | None:
    """Find how the states of a cell may be joined; None if it gives back no states of the widths that it takes.

    Args:
        cell: A cell that cannot be called with states of its hidden size.
        hidden_size: That size; one state of this width, or two, are no reason to join any.
        input_size: The input size that it was made for, which is tried first; 0 where that is not known.
    """
    called = in_evaluation(cell)
    first = next((value for value in called.parameters() if value.is_floating_point()), None)
    dtype = torch.get_default_dtype() if first is None else first.dtype
    generator = torch.Generator().manual_seed(7)
    for joined in itertools.islice(_possible(called, hidden_size, input_size), _MOST_CALLS):
        rows = distinct_batch_size(*joined.sizes)
        x = torch.randn(rows, joined.input_size, generator=generator, dtype=torch.float64).to(dtype)
        state = torch.randn(rows, sum(joined.widths), generator=generator, dtype=torch.float64).to(dtype)
        try:
            with torch.no_grad():
                results = joined.call(called, x, state)
        except Exception:  # a cell that is called in a wrong way may raise anything
            continue
        shapes = [tuple(value.shape) for value in results]
        wanted = [(rows, width) for width in joined.widths]
        starts = [place for place in range(len(shapes)) if shapes[place : place + len(wanted)] == wanted]
        if starts:  # the last ones: an output may repeat a state before them
            has_output = starts[-1] == 1 and _is_output(results[0], results[1 : 1 + len(wanted)])
            return replace(joined, first=starts[-1], has_output=has_output)
    return None


def _is_output(value: Tensor, states: Sequence[Tensor]) -> bool:
    """Whether what comes back before the states is as wide as one of them, and equals none."""
    alike = [state for state in states if state.shape == value.shape]
    return bool(alike) and not any(torch.equal(value, state) for state in alike)


def _possible(cell: nn.Module, hidden_size: int, input_size: int) -> Iterator[JoinedStates]:
    """The ways that the shapes of its parameters allow: three or four equal states, two that differ, one.

    An axis may hold the blocks of up to four gates, or two inputs beside each other.
    """
    axes = {size for value in cell.parameters() for size in value.shape}
    widths = sorted({size // gates for size in axes for gates in (1, 2, 3, 4) if size % gates == 0})[:_MOST_WIDTHS]
    beside = {size - width for size in axes for width in widths if size > width}  # weights on [x, h]
    inputs = list(dict.fromkeys([*sorted(axes), *sorted(beside), *widths]))[: 3 * _MOST_WIDTHS]
    inputs.sort(key=lambda n: n != input_size)  # a product may take one number for all of a vector
    series: list[Sequence[int]] = [(width,) * count for count in (3, 4) for width in widths]
    series += itertools.permutations(widths, 2)
    series += [(width,) for width in widths if width != hidden_size]
    series.sort(key=lambda states: not {*states} <= {hidden_size, input_size})
    for states, n, in_a_tuple in itertools.product(series, inputs, (True, False)):
        if len(states) > 1 or in_a_tuple:
            yield JoinedStates(n, tuple(states), in_a_tuple, 0)
