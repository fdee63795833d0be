"""A torch cell or layer with several inputs, as one whose input holds them side by side.

Cells for series with gaps take the values, a mask and the time since the last one: x, m and delta beside the state.
Others are given what is added to their gates, as wide as a state: ``forward(h, cz, cr, cq, x)``; or one number for each
row, as what an attention gives: ``forward(fact, c, g)`` with ``g`` (B,).
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.forward_signature import INPUT_NAME, STATE_NAME
from rnn_harness.validation.loading.layout_faults import WrongLayout
from rnn_harness.validation.loading.parameter_exchange import in_evaluation

_MOST_INPUTS = 4
_PARTS_OF_MODELS = (nn.RNNBase, nn.RNNCellBase, nn.Embedding, nn.MultiheadAttention)


@dataclass(frozen=True)
class JoinedInputs:
    """Which arguments of a forward are inputs, and which are states.

    Attributes:
        inputs: The names of its inputs, in their order.
        states: The names of its states, in their order.
        input_size: n of each input.
        hidden_size: d.
        as_wide_as_states: The inputs whose width is d, and not n.
        placed: All arguments in their order, where they go in by their places, as ``*xs`` does; else by their names.
        number: The input that is one number for each row (B,), and for each step (B, T); empty for none.
    """

    inputs: tuple[str, ...]
    states: tuple[str, ...]
    input_size: int
    hidden_size: int
    as_wide_as_states: tuple[str, ...] = ()
    placed: tuple[str, ...] = ()
    number: str = ""

    @property
    def widths(self) -> list[int]:
        """The width of each input."""
        usual = [self.hidden_size if name in self.as_wide_as_states else self.input_size for name in self.inputs]
        return [1 if name == self.number else width for name, width in zip(self.inputs, usual, strict=True)]

    @property
    def sizes(self) -> CellSizes:
        """The size of all inputs together, and the hidden size."""
        return CellSizes(sum(self.widths), self.hidden_size)

    def call(self, cell: nn.Module, x: Tensor, states: Sequence[Tensor]) -> object:
        """Call a module with its inputs apart.

        Args:
            cell: The module.
            x: All inputs side by side, in the last axis.
            states: Its states, each (B, d) or as the module takes them.
        """
        parts = torch.split(x, self.widths, -1)
        by_name = dict(zip((*self.inputs, *self.states), (*parts, *states), strict=True))
        if self.number:
            by_name[self.number] = by_name[self.number].squeeze(-1)
        return cell(*(by_name[name] for name in self.placed)) if self.placed else cell(**by_name)

    def wrap(self, cell: nn.Module) -> CellOfOneInput:
        """Return a module as one with one input.

        Args:
            cell: A torch module that takes its inputs apart.
        """
        return (CellOfOneInput, _WithOneState, _WithTwoStates)[len(self.states)](cell, self)

    def note(self) -> str:
        """Say that inputs are joined."""
        return f"its inputs {', '.join(self.inputs)} are judged side by side as one, of any numbers"


class CellOfOneInput(nn.Module):
    """A module whose inputs are joined to one; it takes no state.

    Attributes:
        cell: The module.
        joined: What its arguments are.
    """

    def __init__(self, cell: nn.Module, joined: JoinedInputs) -> None:
        """Wrap the module.

        Args:
            cell: A torch module that takes its inputs apart.
            joined: What its arguments are.
        """
        super().__init__()
        self.cell, self.joined = cell, joined

    def forward(self, x: Tensor) -> object:
        """Return what the module gives.

        Args:
            x: All inputs side by side, (B, k n) or (T, B, k n).
        """
        return self.joined.call(self.cell, x, ())


class _WithOneState(CellOfOneInput):
    """One that takes a state, or several as one argument."""

    def forward(self, x: Tensor, h: Tensor) -> object:  # type: ignore[override]  # it takes a state
        """Return what the module gives, for all inputs side by side and a state."""
        return self.joined.call(self.cell, x, (h,))


class _WithTwoStates(CellOfOneInput):
    """One that takes two states apart."""

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> object:  # type: ignore[override]  # it takes two states
        """Return what the module gives, for all inputs side by side and two states."""
        return self.joined.call(self.cell, x, (h, c))


def joined_inputs(cell: nn.Module, sizes: CellSizes) -> JoinedInputs | None:
    """Find how the inputs of a module may be joined; None if it can be called as it is, or in no way that fits.

    Args:
        cell: A torch module that no usual way of calling fits.
        sizes: The sizes that it was made for.
    """
    if any(isinstance(part, _PARTS_OF_MODELS) for _, part in cell.named_modules()) or isinstance(
        cell, torch.jit.ScriptModule
    ):
        return None  # a model is judged by its parts
    try:
        find_convention(in_evaluation(cell), *sizes)
    except WrongLayout:
        return None
    except Exception:  # a module that is called in a wrong way may raise anything
        return _first_fit(cell, sizes)
    return None


def _first_fit(cell: nn.Module, sizes: CellSizes) -> JoinedInputs | None:
    """The first way of joining with which a module can be called."""
    for joined in possible_joined_inputs(cell, sizes):
        try:
            is_quick = bool(joined.as_wide_as_states or joined.placed or joined.number)
            find_convention(in_evaluation(joined.wrap(cell)), *joined.sizes, is_quick=is_quick)
        except Exception:  # a module that is called in a wrong way may raise anything
            continue
        return joined
    return None


def possible_joined_inputs(cell: nn.Module, sizes: CellSizes) -> Iterator[JoinedInputs]:
    """Yield the ways of joining the inputs of a module: those that are named like states may be such.

    Args:
        cell: A torch module.
        sizes: The sizes that it was made for.
    """
    try:
        arguments = inspect.signature(cell.forward).parameters.values()
    except (TypeError, ValueError):
        return
    if any(argument.kind is argument.POSITIONAL_ONLY for argument in arguments):
        return
    open_ended = [argument.name for argument in arguments if argument.kind is argument.VAR_POSITIONAL]
    variadic = {*open_ended, *(argument.name for argument in arguments if argument.kind is argument.VAR_KEYWORD)}
    names = [a.name for a in arguments if (a.default is a.empty and a.name not in variadic) or a.name in open_ended]
    placed = tuple(names) if open_ended else ()
    likely = [name for name in names if STATE_NAME.match(name) and not name.lower().startswith("x")]
    chosen = list(itertools.chain.from_iterable(itertools.combinations(likely, count) for count in (2, 1, 0)))
    for states in chosen:
        inputs = tuple(name for name in names if name not in states)
        if (1 if placed else 2) <= len(inputs) <= _MOST_INPUTS:
            yield JoinedInputs(inputs, states, *sizes, placed=placed)
    for states in chosen if sizes.input_size != sizes.hidden_size else ():
        inputs = tuple(name for name in names if name not in states)
        if states and 2 <= len(inputs) <= _MOST_INPUTS:
            for wide in _wide_inputs(inputs):
                yield JoinedInputs(inputs, states, *sizes, wide, placed)
    for states in chosen:
        inputs = tuple(name for name in names if name not in states)
        if 2 <= len(inputs) <= _MOST_INPUTS:
            for number in reversed(inputs):
                yield JoinedInputs(inputs, states, *sizes, placed=placed, number=number)


def _wide_inputs(inputs: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Which inputs may be as wide as a state: all but one first, which is called as inputs are."""
    for count in range(len(inputs) - 1, 0, -1):
        several = list(itertools.combinations(inputs, count))
        several.sort(key=lambda wide: sum(INPUT_NAME.match(name) is not None for name in wide))
        yield from several
