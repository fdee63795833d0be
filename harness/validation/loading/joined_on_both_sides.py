"""A torch cell with several inputs and with states of several widths in one argument, as a cell of one of each.

A cell for series with gaps may take its values, their mask and the time since the last one, and keep what it saw last
beside its state: ``forward(x, m, delta, (h, last))``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.state_form import StateForm
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments
from rnn_harness.validation.loading.forward_signature import STATE_NAME
from rnn_harness.validation.loading.joined_inputs import JoinedInputs
from rnn_harness.validation.loading.joined_states import CellOfOneState, JoinedStates, first_fit
from rnn_harness.validation.loading.state_handing import StateHanding

if TYPE_CHECKING:
    from torch import nn

_MOST_INPUTS = 4
_KEPT_NAME = re.compile("last|prev|old")
"""How an input of the step before is called that a cell gives back as a state: ``x_last``."""


@dataclass(frozen=True)
class JoinedOnBothSides:
    """How the inputs and the states of a cell are joined.

    Attributes:
        inputs: How its inputs are joined.
        states: How its states are joined, where its inputs are one.
    """

    inputs: JoinedInputs
    states: JoinedStates

    @property
    def sizes(self) -> CellSizes:
        """The size of all inputs together, and of all states."""
        return self.states.sizes

    def wrap(self, cell: nn.Module) -> CellOfOneState:
        """Return a cell as one with one input and one state.

        Args:
            cell: A torch cell that takes its inputs and its states apart.
        """
        return self.states.wrap(self.inputs.wrap(cell))

    def note(self) -> str:
        """Say that inputs and states are joined."""
        return f"{self.inputs.note()}; {self.states.note()}"


def joined_on_both_sides(cell: nn.Module, sizes: CellSizes) -> JoinedOnBothSides | None:
    """Find how the inputs and the states of a cell may be joined; None if it gives back no states that it takes.

    Args:
        cell: A torch cell that no usual way of calling fits.
        sizes: The sizes that it was made for.
    """
    n, d = sizes
    for inputs in _possible_inputs(cell, sizes):
        count = len(inputs.states)
        handing = StateHanding(StateForm("tuple")) if count == 1 else StateHanding()
        possible = (
            JoinedStates(inputs.sizes.input_size, widths, handing, ())
            for length in ((2, 3) if count == 1 else (count,))
            for widths in itertools.product((d, n), repeat=length)
            if d in widths
        )
        states = first_fit(inputs.wrap(cell), possible)
        if states is not None:
            return JoinedOnBothSides(inputs, states)
    return None


def _possible_inputs(cell: nn.Module, sizes: CellSizes) -> Iterator[JoinedInputs]:
    """Yield which arguments may be inputs: one argument holds all states, or two are named like what is kept."""
    arguments = required_arguments(cell.forward)
    names = [argument.name for argument in arguments if argument.kind is argument.POSITIONAL_OR_KEYWORD]
    if len(names) != len(arguments):
        return
    likely = [name for name in names if STATE_NAME.match(name) and not name.lower().startswith("x")]
    kept = [name for name in names if _KEPT_NAME.search(name.lower()) and name not in likely]
    for states in [*itertools.permutations((*likely, *kept), 2), *((name,) for name in likely)]:
        inputs = tuple(name for name in names if name not in states)
        if 2 <= len(inputs) <= _MOST_INPUTS:
            yield JoinedInputs(inputs, states, *sizes)
