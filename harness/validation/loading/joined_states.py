"""A torch cell with several states, of several widths or matrices, as a cell with one state that joins them."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size
from rnn_harness.validation.cells.state_form import Leaf, result_leaves
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.loading.state_handing import StateHanding, state_handings

_MOST_WIDTHS, _MOST_CALLS = 8, 3000
_LAYERS = (2, 3, 4, 5, 6)
"""How many layers a state is tried with, (L, B, d), where a cell is one step of a stack."""


@dataclass(frozen=True)
class JoinedStates:
    """How the states of a cell are joined.

    Attributes:
        input_size: n.
        widths: The width of each state, in the order in which they go in.
        handing: How they are handed to the cell.
        places: Of each state, its place among the tensors that come back.
        output_place: The place of the tensor that is an output and none of the states; None where there is none.
        shapes: The shape of each state in a row of the batch, where one is a matrix; empty where all are vectors.
        is_layered: Whether the first axis of each shape is one of layers, which stands before the rows: (L, B, d).
    """

    input_size: int
    widths: tuple[int, ...]
    handing: StateHanding
    places: tuple[int, ...]
    output_place: int | None = None
    shapes: tuple[tuple[int, ...], ...] = ()
    is_layered: bool = False

    @property
    def shapes_of_states(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each state in a row of the batch."""
        return self.shapes or tuple((width,) for width in self.widths)

    @property
    def sizes(self) -> CellSizes:
        """The input size, and the width of all states together."""
        return CellSizes(self.input_size, sum(self.widths))

    def call(self, cell: nn.Module, x: Tensor, joined: Tensor) -> list[Leaf]:
        """Return every tensor that a cell gives, with its place in what it gives.

        Args:
            cell: A torch cell that takes its states apart.
            x: Inputs (B, n).
            joined: Its states side by side, (B, sum of the widths).
        """
        parts = torch.split(joined, list(self.widths), -1)
        states = [part.reshape(len(part), *shape) for part, shape in zip(parts, self.shapes_of_states, strict=True)]
        states = [self.rows_exchanged(state) for state in states]
        return list(result_leaves(self.handing.call(cell, x, states)))

    def rows_exchanged(self, state: Tensor) -> Tensor:
        """Return a state with its rows in front for one with its layers in front, and the other way round.

        Args:
            state: One state, (B, L, d) or (L, B, d) where it has layers; any other comes back as it is.
        """
        return state.transpose(0, 1) if self.is_layered else state

    def wrap(self, cell: nn.Module) -> CellOfOneState:
        """Return a cell as one with one state.

        Args:
            cell: A torch cell that takes its states apart.
        """
        return CellOfOneState(cell, self)

    def note(self) -> str:
        """Say that states are joined."""
        if self.is_layered:
            return f"its states of {self.shapes[0][0]} layers, (L, B, d), are judged side by side as one"
        if self.shapes:
            shapes = " and ".join(f"({', '.join(map(str, shape))})" for shape in self.shapes)
            return f"its states, {shapes} in each row, are judged side by side as one"
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
        results = [leaf.tensor for leaf in self.joined.call(self.cell, x, state)]
        rows_first = [self.joined.rows_exchanged(results[place]) for place in self.joined.places]
        states = torch.cat([state.flatten(1) for state in rows_first], -1)
        return states if self.joined.output_place is None else (results[self.joined.output_place], states)


@contextlib.contextmanager
def every_result_kept(module: nn.Module, results: list[Tensor]) -> Iterator[None]:
    """Keep all that a cell gives whose states are joined: an output of another width is none of the states.

    Args:
        module: What is called; of one whose states are not joined nothing is kept.
        results: Takes a copy of every tensor of every call.
    """
    if not isinstance(module, CellOfOneState):
        yield
        return

    def keep(_module: nn.Module, _arguments: object, result: object) -> None:
        results.extend(leaf.tensor.detach().clone() for leaf in result_leaves(result))

    handle = module.cell.register_forward_hook(keep)
    try:
        yield
    finally:
        handle.remove()


def joined_states(
    cell: nn.Module, hidden_size: int, input_size: int = 0, state_names: tuple[str, ...] = ()
) -> JoinedStates | None:
    """Find how the states of a cell may be joined; None if it gives back no states of the widths that it takes.

    Args:
        cell: A cell that cannot be called with states of its hidden size.
        hidden_size: That size; one state of this width, or two, are no reason to join any.
        input_size: The input size that it was made for, which is tried first; 0 where that is not known.
        state_names: What the states are called by the equations that it is held against, where there are any.
    """
    possible = _possible(cell, hidden_size, input_size, state_names)
    return first_fit(cell, itertools.islice(possible, _MOST_CALLS))


def layered_states(cell: nn.Module, sizes: CellSizes) -> JoinedStates | None:
    """Find how the states of a stack of layers may be joined, (L, B, d) each; None if it gives back none of that shape.

    Args:
        cell: A cell whose rows are mixed where it is called with a state (B, d).
        sizes: The width of an input and of a state.
    """
    return first_fit(cell, _with_layers(cell, sizes))


def _with_layers(cell: nn.Module, sizes: CellSizes) -> Iterator[JoinedStates]:
    """The ways in which one state of several layers goes in, or two."""
    n, d = sizes
    for layers, count, handing in itertools.product(_LAYERS, (1, 2), state_handings(cell)):
        if handing.takes(count) or handing.holds_one(count):
            shapes = ((layers, d),) * count
            yield JoinedStates(n, (layers * d,) * count, handing, (), shapes=shapes, is_layered=True)


def equal_states(cell: nn.Module, sizes: CellSizes) -> JoinedStates | None:
    """Find how three or four states of one width may be joined; None if it gives back none of that width.

    Args:
        cell: A cell that cannot be called with one state, or two.
        sizes: The width of an input and of a state.
    """
    n, d = sizes
    ways = itertools.product((3, 4), state_handings(cell))
    return first_fit(
        cell, (JoinedStates(n, (d,) * count, handing, ()) for count, handing in ways if handing.takes(count))
    )


def first_fit(cell: nn.Module, possible: Iterable[JoinedStates]) -> JoinedStates | None:
    """Return the first way of joining for which a cell gives back states of the shapes that it takes, or None.

    Args:
        cell: A cell that takes its states apart.
        possible: The ways, without the places of what comes back.
    """
    called = in_evaluation(cell)
    first = next((value for value in called.parameters() if value.is_floating_point()), None)
    dtype = torch.get_default_dtype() if first is None else first.dtype
    generator = torch.Generator().manual_seed(7)
    for joined in possible:
        rows = distinct_batch_size(*joined.sizes)
        x = torch.randn(rows, joined.input_size, generator=generator, dtype=torch.float64).to(dtype)
        state = torch.randn(rows, sum(joined.widths), generator=generator, dtype=torch.float64).to(dtype)
        try:
            with torch.no_grad():
                results = joined.call(called, x, state)
        except Exception:  # a cell that is called in a wrong way may raise anything
            continue
        places = joined.handing.named_places(called, results)
        is_named = bool(places)
        shapes = [tuple(leaf.tensor.shape) for leaf in results]
        wanted = [tuple(joined.rows_exchanged(x.new_empty(rows, *shape)).shape) for shape in joined.shapes_of_states]
        if not is_named:  # the last ones: an output may repeat a state before them
            starts = [place for place in range(len(shapes)) if shapes[place : place + len(wanted)] == wanted]
            places = tuple(range(starts[-1], starts[-1] + len(wanted))) if starts else ()
        fits = bool(places) and [shapes[place] for place in places] == wanted
        if fits and (not joined.shapes or _reads_last_row(joined, called, x, state, places)):
            if joined.is_layered and not _has_so_many_layers(joined, called, x, state, places):
                continue
            return replace(joined, places=places, output_place=_output_place(results, places, is_named))
    return None


def _reads_last_row(
    joined: JoinedStates, cell: nn.Module, x: torch.Tensor, state: torch.Tensor, places: tuple[int, ...]
) -> bool:
    """Whether the last row of a matrix state reaches its new one; a stack over time reads one row for each layer."""
    moved = torch.cat([state[:-1], state[-1:] + 1])
    with torch.no_grad():
        before, after = ([leaf.tensor for leaf in joined.call(cell, x, given)] for given in (state, moved))
    exchanged = joined.rows_exchanged
    return not all(torch.equal(exchanged(before[place])[-1], exchanged(after[place])[-1]) for place in places)


def _has_so_many_layers(
    joined: JoinedStates, cell: nn.Module, x: torch.Tensor, state: torch.Tensor, places: tuple[int, ...]
) -> bool:
    """Whether the rows of a state of layers are apart, and it takes no other number of layers.

    What runs over time takes rows for steps, and what is spread over the layers takes any number of them.
    """
    moved = torch.cat([x[:1] + 1, x[1:]])
    more = tuple((shape[0] + 1, *shape[1:]) for shape in joined.shapes)
    deeper = replace(joined, widths=tuple(map(math.prod, more)), shapes=more)
    exchanged = joined.rows_exchanged
    with torch.no_grad():
        before, after = ([leaf.tensor for leaf in joined.call(cell, given, state)] for given in (x, moved))
        pairs = [(exchanged(before[place])[1:], exchanged(after[place])[1:]) for place in places]
        if not all(torch.allclose(a, b, rtol=SCREEN_SINGLE, atol=SCREEN_SINGLE) for a, b in pairs):
            return False
        try:
            results = deeper.call(cell, x, state.new_zeros(len(state), sum(deeper.widths)))
        except Exception:  # a cell that is called in a wrong way may raise anything
            return True
    wanted = [tuple(exchanged(x.new_empty(len(x), *shape)).shape) for shape in more]
    return [tuple(results[place].tensor.shape) for place in places if place < len(results)] != wanted


def _output_place(results: Sequence[Leaf], places: Sequence[int], is_named: bool) -> int | None:
    """The place of an output that is as wide as one of the states, and equals none; behind them if these have names."""
    spare = [place for place in range(len(results)) if place not in places]
    if len(spare) != 1 and not (spare[:1] == [0] and min(places) == 1):
        return None
    value = results[spare[0]].tensor
    alike = [results[place].tensor for place in places if results[place].tensor.shape == value.shape]
    is_output = bool(alike) and not any(torch.equal(value, state) for state in alike)
    return spare[0] if is_output and (is_named or spare[0] == 0) else None


def _possible(
    cell: nn.Module, hidden_size: int, input_size: int, state_names: tuple[str, ...]
) -> Iterator[JoinedStates]:
    """The ways that the shapes of its parameters allow: three or four equal states, two that differ or two of each.

    An axis may hold the blocks of up to four gates, or two inputs beside each other; a number that the cell keeps may
    be the size of a memory. States that have names are as many as there are names.
    """
    axes = {size for value in cell.parameters() for size in value.shape}
    widths = sorted({size // gates for size in axes for gates in (1, 2, 3, 4) if size % gates == 0})[:_MOST_WIDTHS]
    stored_sizes = {
        value for value in vars(cell).values() if isinstance(value, int) and 1 < value <= max(axes, default=0)
    }
    widths = sorted({*widths, *stored_sizes})
    beside = {size - width for size in axes for width in widths if size > width}  # weights on [x, h]
    inputs = list(dict.fromkeys([*sorted(axes), *sorted(beside), *widths]))[: 3 * _MOST_WIDTHS]
    inputs.sort(key=lambda n: n != input_size)  # a product may take one number for all of a vector
    series: list[Sequence[int]] = [(width,) * count for count in (3, 4) for width in widths]
    series += itertools.permutations(widths, 2)
    other_widths = [width for width in widths if width != hidden_size]
    series += [(hidden_size, hidden_size, width, width) for width in other_widths]
    series += [(width,) for width in widths if width != hidden_size]
    series.sort(key=lambda states: not {*states} <= {hidden_size, input_size})
    handings = state_handings(cell, state_names)
    for states, n, handing in itertools.product(series, inputs, handings):
        if handing.takes(len(states)):
            yield JoinedStates(n, tuple(states), handing, ())
    yield from _with_layers(cell, CellSizes(input_size, hidden_size)) if input_size else ()
    if any(isinstance(part, nn.RNNCellBase) for part in cell.modules()):
        return  # torch's own cells read beyond a state that has fewer rows than the input, and end the process
    hidden = [width for width in widths if width == hidden_size] or widths
    for shapes, n, handing in itertools.product(_with_matrices(hidden), inputs, handings):
        if handing.takes(len(shapes)):
            yield JoinedStates(n, tuple(map(math.prod, shapes)), handing, (), shapes=shapes)


def _with_matrices(widths: Iterable[int]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """The shapes of states of which one is a matrix: fast weights behind the others, or in front of its normaliser."""
    for d in widths:
        vector, matrix = (d,), (d, d)
        yield from ((vector, matrix), (vector, vector, matrix), (matrix, vector), (matrix, vector, vector), (matrix,))
        yield matrix, vector, (1,)
