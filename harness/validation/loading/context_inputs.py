"""A torch step that is given more than its input and states: an encoder's outputs, a context, a mask over positions.

Such a decoder's step is a recurrent step whose input is all of that side by side, in each row of a batch; then what
holds of every recurrent cell can be asked of it. A token in the place of an input is the same one in every row, and the
input is added to what the embedding gives for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rnn_harness.validation.cells.callable_facts import tuple_fields
from rnn_harness.validation.cells.capabilities import CellSizes

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN = 1
"""The token of every row: 0 is the padding of most vocabularies."""


@dataclass(frozen=True)
class ContextArgument:
    """One argument beside the input and the states.

    Attributes:
        name: How the signature of the step calls it.
        axes: Its axes: B rows, S positions, e numbers, 1 an axis of length one.
        width: The length of the axis e; 1 where there is none.
        is_mask: Whether it says which positions count.
        dtype: The format of a mask.
    """

    name: str
    axes: str
    width: int = 1
    is_mask: bool = False
    dtype: torch.dtype = torch.bool

    def numbers(self, positions: int) -> int:
        """Return how many numbers it has for each row; none where it is a mask.

        Args:
            positions: S.
        """
        return 0 if self.is_mask else self.width * (positions if "S" in self.axes else 1)


@dataclass(frozen=True)
class ContextStep:
    """What the arguments of a step are.

    Attributes:
        x: The argument that is its input, by name.
        x_axes: The axes of the input: B rows, n numbers, 1; of a token without n.
        states: The names of its states, in their order.
        state_axes: The axes of each state: B rows, d units, 1.
        contexts: The further arguments, in their order.
        widths: n and d.
        positions: S.
        neutral: The number with which a mask lets every position count.
    """

    x: str
    x_axes: str
    states: tuple[str, ...]
    state_axes: str
    contexts: tuple[ContextArgument, ...]
    widths: CellSizes
    positions: int
    neutral: float = 1.0

    @property
    def takes_rows(self) -> bool:
        """Whether a whole batch goes into one call."""
        return "B" in self.state_axes

    @property
    def sizes(self) -> CellSizes:
        """The size of the input and all contexts together, and the hidden size."""
        beside = sum(context.numbers(self.positions) for context in self.contexts)
        return CellSizes(self.widths.input_size + beside, self.widths.hidden_size)

    @property
    def masks(self) -> tuple[ContextArgument, ...]:
        """The contexts that are masks over positions."""
        return tuple(context for context in self.contexts if context.is_mask)

    @property
    def has_positions(self) -> bool:
        """Whether a context has an axis of positions, as an encoder's outputs have."""
        return any("S" in context.axes for context in self.contexts)

    def note(self) -> str:
        """Say what is judged as its input."""
        numbers = [context.name for context in self.contexts if not context.is_mask]
        masks = "".join(f"; {mask.name} lets every position count" for mask in self.masks)
        token = f"; {self.x} is one token, and the input is added to its embedding" if "n" not in self.x_axes else ""
        return (
            f"its inputs {', '.join((self.x, *numbers))} are judged side by side as one, of any numbers{masks}{token}"
        )

    def call(self, cell: nn.Module, x: Tensor, states: Sequence[object], masks: Sequence[Tensor] = ()) -> object:
        """Call a step with its inputs apart.

        Args:
            cell: The step.
            x: The input and all contexts side by side, (B, N); (N,) of a step of one row.
            states: One for each name of a state, each (B, d) or a tuple of such; (d,) of a step of one row.
            masks: One for each mask, (B, S); by default every position counts.

        Returns:
            What it gives, each state of it with the axes of those that went in.

        Raises:
            ValueError: The numbers are a batch where it takes one row, or one row where it takes a batch.
        """
        if x.dim() != (2 if self.takes_rows else 1):
            raise ValueError(f"expected {'(B, N)' if self.takes_rows else '(N,)'} numbers, got {tuple(x.shape)}")
        rows = len(x) if self.takes_rows else 1
        flat = x.reshape(rows, -1)
        parts = torch.split(flat, [self.widths.input_size, *(c.numbers(self.positions) for c in self.contexts)], -1)
        by_name: dict[str, object] = {}
        given_masks = iter(masks)
        for context, part in zip(self.contexts, parts[1:], strict=True):
            if context.is_mask:
                counts = next(given_masks, torch.full((rows, self.positions), self.neutral))
                value = counts.to(context.dtype if context.dtype is torch.bool else x.dtype)
            else:
                value = part.reshape(rows, self.positions, -1) if "S" in context.axes else part
            by_name[context.name] = _arranged(value, context.axes)
        for name, state in zip(self.states, states, strict=True):
            by_name[name] = _mapped(lambda tensor: self._state_in(tensor, rows), state)
        with contextlib.ExitStack() as stack:
            if "n" in self.x_axes:
                by_name[self.x] = _arranged(parts[0], self.x_axes.replace("n", "e"))
            else:
                by_name[self.x] = torch.full([rows if axis == "B" else 1 for axis in self.x_axes], _TOKEN)
                _add_to_embedding(stack, cell, parts[0])
            result = cell(**by_name)
        return _mapped(lambda tensor: self._state_out(tensor, rows), result)

    def _state_in(self, state: Tensor, rows: int) -> Tensor:
        """A state as the step takes it."""
        return state.reshape([{"B": rows, "d": state.shape[-1], "1": 1}[axis] for axis in self.state_axes])

    def _state_out(self, value: Tensor, rows: int) -> Tensor:
        """A tensor that came back, if it is a state, with the axes of a state that is handed over; else as it is."""
        d = self.widths.hidden_size
        shape = tuple({"B": rows, "d": d, "1": 1}[axis] for axis in self.state_axes)
        if tuple(value.shape) not in (shape, (rows, d)):
            return value
        return value.reshape((rows, d) if self.takes_rows else (d,))

    def wrap(self, cell: nn.Module) -> StepOfOneInput:
        """Return a step as one with one input.

        Args:
            cell: A torch step that takes its inputs apart.
        """
        return (StepOfOneInput, _WithTwoStates)[len(self.states) - 1](cell, self)


class StepOfOneInput(nn.Module):
    """A step whose input and contexts are joined to one input.

    Attributes:
        cell: The step.
        joined: What its arguments are.
        masks: What is handed over for its masks, (B, S) each; empty where every position counts.
    """

    def __init__(self, cell: nn.Module, joined: ContextStep) -> None:
        """Wrap the step.

        Args:
            cell: A torch step that takes its inputs apart.
            joined: What its arguments are.
        """
        super().__init__()
        self.cell, self.joined = cell, joined
        self.masks: tuple[Tensor, ...] = ()

    def forward(self, x: Tensor, state: object) -> object:
        """Return what the step gives.

        Args:
            x: The input and all contexts side by side.
            state: Its state, or two as a tuple.
        """
        return self.joined.call(self.cell, x, (state,), self.masks)


class _WithTwoStates(StepOfOneInput):
    """One that takes two states apart."""

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> object:  # type: ignore[override]  # it takes two states
        """Return what the step gives, for all inputs side by side and two states."""
        return self.joined.call(self.cell, x, (h, c), self.masks)


def _arranged(value: Tensor, axes: str) -> Tensor:
    """A tensor (B, S, e), (B, S) or (B, e) with these axes; without B it has one row, which is left out."""
    letters = [letter for letter in ("B", "S", "e") if letter in axes or letter == "B"]
    if "B" not in axes:
        value, letters = value[0], letters[1:]
    value = value.permute([letters.index(axis) for axis in axes if axis != "1"])
    for place, axis in enumerate(axes):
        if axis == "1":
            value = value.unsqueeze(place)
    return value


def _mapped(function: Callable[[Tensor], Tensor], value: object) -> object:
    """A structure of tuples and lists with a function applied to every tensor."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, tuple | list):
        mapped = [_mapped(function, part) for part in value]
        make: Callable[..., object] = type(value)
        return make(*mapped) if tuple_fields(value) else make(mapped)
    return value


def _add_to_embedding(stack: contextlib.ExitStack, cell: nn.Module, x: Tensor) -> None:
    """Add numbers (B, n) to what the embedding of a step gives, until the stack is closed."""

    def add(_module: nn.Module, _arguments: object, embedded: Tensor) -> Tensor:
        if embedded.numel() != x.numel():
            raise ValueError(f"an embedding gave {tuple(embedded.shape)} for {len(x)} tokens")
        return embedded + x.reshape(embedded.shape)

    for _, part in cell.named_modules():
        if isinstance(part, nn.Embedding):
            stack.enter_context(contextlib.closing(_Hook(part.register_forward_hook(add))))


@dataclass(frozen=True)
class _Hook:
    """A hook that can be closed."""

    handle: torch.utils.hooks.RemovableHandle

    def close(self) -> None:
        self.handle.remove()
