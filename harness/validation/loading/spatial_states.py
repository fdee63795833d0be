"""A convolutional cell, whose inputs and states have axes of space, as a cell of vectors in a row.

What it computes is no equation of vectors that is known, but all that holds for any recurrent cell can be tried.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.layout_faults import WrongLayout
from rnn_harness.validation.loading.parameter_exchange import in_evaluation

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_SPACES = {1: (6,), 2: (4, 3), 3: (3, 2, 2)}
"""The lengths of the axes of space by their number: small, and of no length twice where that can be."""
_MOST_CHANNELS = 12


@dataclass(frozen=True)
class SpatialStates:
    """How the numbers of a convolutional cell lie.

    Attributes:
        inputs: The channels of its inputs.
        units: The channels of its states.
        space: The lengths of the axes of space.
    """

    inputs: int
    units: int
    space: tuple[int, ...]

    @property
    def sizes(self) -> CellSizes:
        """The numbers of an input and of a state."""
        points = math.prod(self.space)
        return CellSizes(self.inputs * points, self.units * points)

    def in_space(self, value: Any) -> Any:
        """Return arguments with their last axis as channels and space.

        Args:
            value: A tensor (..., n) or (..., d), or tuples, lists and dictionaries of such; all else stays.
        """
        if isinstance(value, Tensor) and value.dim():
            channels = {self.sizes.input_size: self.inputs, self.sizes.hidden_size: self.units}.get(value.shape[-1])
            return value if channels is None else value.reshape(*value.shape[:-1], channels, *self.space)
        return _mapped(self.in_space, value)

    def in_a_row(self, value: Any) -> Any:
        """Return results with the channels and the space of a state as one axis.

        Args:
            value: A tensor (..., units, space), or tuples, lists and dictionaries of such; all else stays.
        """
        if isinstance(value, Tensor):
            axes = 1 + len(self.space)
            is_state = tuple(value.shape[-axes:]) == (self.units, *self.space)
            return value.flatten(value.dim() - axes) if is_state else value
        return _mapped(self.in_a_row, value)

    def wrap(self, cell: nn.Module) -> nn.Module:
        """Return a cell as one of vectors.

        Args:
            cell: A convolutional cell or layer of these channels.
        """
        cell_type: Any = type(cell)
        return _cell_of_vectors(cell_type)(cell, self)

    def at(self, sizes: CellSizes) -> SpatialStates:
        """Return the same where space is one point.

        Args:
            sizes: The channels of inputs and states.
        """
        return SpatialStates(*sizes, (1,) * len(self.space))

    def note(self) -> str:
        """Say how a state is judged."""
        shape = ", ".join(map(str, (self.units, *self.space)))
        return f"its states have axes of space, ({shape}) of a row, and are judged as vectors of all these numbers"


def _mapped(function: Any, value: Any) -> Any:
    """Apply a function to the parts of a tuple, a list or a dictionary; all else stays."""
    if isinstance(value, tuple | list):
        return type(value)(function(part) for part in value)
    return {key: function(part) for key, part in value.items()} if isinstance(value, dict) else value


class CellOfVectors(nn.Module):
    """A convolutional cell as one of vectors; a subclass has the signature of a cell's forward.

    Attributes:
        cell: The convolutional cell.
        spatial: How its numbers lie.
    """

    def __init__(self, cell: nn.Module, spatial: SpatialStates) -> None:
        """Wrap the cell.

        Args:
            cell: The convolutional cell.
            spatial: How its numbers lie.
        """
        super().__init__()
        self.cell, self.spatial = cell, spatial

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        """Return what the cell gives, each state in a row.

        Args:
            arguments: Inputs (..., n) and states (..., d).
            keywords: The same by name.
        """
        in_space = self.spatial.in_space
        result = self.cell(*map(in_space, arguments), **{key: in_space(value) for key, value in keywords.items()})
        return self.spatial.in_a_row(result)


@functools.cache
def _cell_of_vectors(cell_type: Any) -> type[CellOfVectors]:
    """The class that stands for a class of convolutional cells: it shows the arguments and says what that says."""

    def forward(self: CellOfVectors, *arguments: Any, **keywords: Any) -> Any:
        return CellOfVectors.forward(self, *arguments, **keywords)

    forward.__doc__ = cell_type.forward.__doc__
    forward.__signature__ = inspect.signature(cell_type.forward)  # type: ignore[attr-defined]
    members = {"forward": forward, "__doc__": cell_type.__doc__, "__module__": __name__}
    return type(cell_type.__name__, (CellOfVectors,), members)


def axes_of_space(cell: nn.Module) -> int:
    """Count the axes of space of a module's convolutions; 0 without one.

    Args:
        cell: A torch module.
    """
    first = next((part for part in cell.modules() if isinstance(part, _CONVOLUTIONS)), None)
    return 0 if first is None else int(first.weight.dim()) - 2


def possible_spaces(cell: nn.Module, sizes: CellSizes) -> Iterator[SpatialStates]:
    """Yield how the numbers of a convolutional cell may lie; nothing for a module without convolutions.

    Args:
        cell: A torch module.
        sizes: The channels that it was made for.
    """
    convolutions = [part for _, part in cell.named_modules() if isinstance(part, _CONVOLUTIONS)]
    if not convolutions or isinstance(cell, torch.jit.ScriptModule):
        return
    space = _space_of(cell, convolutions[0].weight.dim() - 2)
    for inputs, units in dict.fromkeys(_possible_channels(convolutions, sizes)):
        yield SpatialStates(inputs, units, space)


def _space_of(cell: nn.Module, axes: int) -> tuple[int, ...]:
    """The lengths of the axes of space: those that a layer normalisation over space is made for, or any."""
    normalised = (tuple(part.normalized_shape) for _, part in cell.named_modules() if isinstance(part, nn.LayerNorm))
    return next((shape[1:] for shape in normalised if len(shape) == axes + 1), _SPACES[axes])


def spatial_states(cell: nn.Module, sizes: CellSizes) -> SpatialStates | None:
    """Find how the numbers of a convolutional cell lie; None if it has no convolution, or cannot be called so.

    Args:
        cell: A torch module.
        sizes: The channels that it was made for.
    """
    for spatial in possible_spaces(cell, sizes):
        try:
            find_convention(in_evaluation(spatial.wrap(cell)), *spatial.sizes)
        except WrongLayout:
            return spatial
        except Exception:  # a module that is called in a wrong way may raise anything
            continue
        return spatial
    return None


def _possible_channels(convolutions: list[Any], sizes: CellSizes) -> Iterator[tuple[int, int]]:
    """The channels of inputs and states: as it was made for, then as its convolutions take and give them."""
    taken = {layer.in_channels for layer in convolutions}
    given = {layer.out_channels for layer in convolutions}
    pairs = [(sizes.input_size, sizes.hidden_size)]
    units = sorted({size // gates for size in given for gates in (1, 4, 3, 2) if size % gates == 0})
    pairs += [(size - d, d) for d in units for size in sorted(taken) if size > d]
    pairs += [(size, d) for d in units for size in sorted(taken)]
    fitting = (pair for pair in pairs if pair[0] != pair[1] and _takes(taken, pair))
    yield from list(dict.fromkeys(fitting))[:_MOST_CHANNELS]


def _takes(taken: set[int], pair: tuple[int, int]) -> bool:
    """Whether convolutions of these channels read such inputs and states, side by side or apart."""
    inputs, units = pair
    return inputs + units in taken or {inputs, units} <= taken
