"""A torch cell or layer with several inputs of one size, as one whose input holds them side by side.

Cells for series with gaps take the values, a mask and the time since the last one: x, m and delta beside the state.
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
from rnn_harness.validation.loading.forward_signature import STATE_NAME
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
    """

    inputs: tuple[str, ...]
    states: tuple[str, ...]
    input_size: int
    hidden_size: int

    @property
    def sizes(self) -> CellSizes:
        """The size of all inputs together, and the hidden size."""
        return CellSizes(len(self.inputs) * self.input_size, self.hidden_size)

    def call(self, cell: nn.Module, x: Tensor, states: Sequence[Tensor]) -> object:
        """Call a module with its inputs apart.

        Args:
            cell: The module.
            x: All inputs side by side, in the last axis.
            states: Its states, each (B, d) or as the module takes them.
        """
        parts = torch.split(x, self.input_size, -1)
        by_name = dict(zip((*self.inputs, *self.states), (*parts, *states), strict=True))
        return cell(**by_name)

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
    for joined in _possible(cell, sizes):
        try:
            find_convention(in_evaluation(joined.wrap(cell)), *joined.sizes)
        except Exception:  # a module that is called in a wrong way may raise anything
            continue
        return joined
    return None


def _possible(cell: nn.Module, sizes: CellSizes) -> Iterator[JoinedInputs]:
    """The arguments that must be given: those that are named like states may be such, the others are inputs."""
    try:
        arguments = inspect.signature(cell.forward).parameters.values()
    except (TypeError, ValueError):
        return
    if any(argument.kind in (argument.VAR_POSITIONAL, argument.POSITIONAL_ONLY) for argument in arguments):
        return
    names = [argument.name for argument in arguments if argument.default is argument.empty]
    likely = [name for name in names if STATE_NAME.match(name) and not name.lower().startswith("x")]
    for states in itertools.chain.from_iterable(itertools.combinations(likely, count) for count in (2, 1, 0)):
        inputs = tuple(name for name in names if name not in states)
        if 2 <= len(inputs) <= _MOST_INPUTS:
            yield JoinedInputs(inputs, states, *sizes)
