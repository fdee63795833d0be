"""A convolutional cell with three or four states, or with inputs beside its first, as one of vectors in a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.joined_inputs import JoinedInputs, possible_joined_inputs
from rnn_harness.validation.loading.joined_states import JoinedStates, equal_states
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.loading.spatial_states import SpatialStates, possible_spaces

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class JoinedInSpace:
    """How the numbers of a convolutional cell lie, and how its states or inputs are joined.

    Attributes:
        spatial: How the numbers of one state and of one input lie.
        joined: How the states or the inputs are joined, each in a row.
    """

    spatial: SpatialStates
    joined: JoinedStates | JoinedInputs

    @property
    def sizes(self) -> CellSizes:
        """The numbers of all inputs together, and of all states together."""
        return self.joined.sizes

    def wrap(self, cell: nn.Module) -> nn.Module:
        """Return a cell as one of vectors, with one input and as many states as are not joined.

        Args:
            cell: A convolutional cell of these channels.
        """
        return self.joined.wrap(self.spatial.wrap(cell))

    def note(self) -> str:
        """Say how a state is judged, and what is joined."""
        return f"{self.spatial.note()}; {self.joined.note()}"


def joined_in_space(cell: nn.Module, sizes: CellSizes) -> JoinedInSpace | None:
    """Find how the states or inputs of a convolutional cell are joined; None where no way fits.

    Args:
        cell: A torch module that cannot be called with one input and one state, or two.
        sizes: The channels that it was made for.
    """
    for spatial in possible_spaces(cell, sizes):
        joined = _joined(spatial.wrap(copied_module(cell)), spatial.sizes)
        if joined is not None:
            return JoinedInSpace(spatial, joined)
    return None


def _joined(cell: nn.Module, sizes: CellSizes) -> JoinedStates | JoinedInputs | None:
    """How the states or inputs of a cell of vectors are joined."""
    states = equal_states(cell, sizes)
    if states is not None:
        return states
    for inputs in possible_joined_inputs(cell, sizes):
        try:
            find_convention(in_evaluation(inputs.wrap(cell)), *inputs.sizes, is_quick=True)
        except Exception:  # a module that is called in a wrong way may raise anything
            continue
        return inputs
    return None
