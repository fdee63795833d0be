"""Layers that count their steps from the start of a call, as a Clockwork RNN: pieces fit after whole periods alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from rnn_harness.errors import NotRun
from rnn_harness.validation.consistency.consistency_property import STEPS, Draw, differs
from rnn_harness.validation.consistency.driven_cell import CellArguments, CellRun

LONGEST_PERIOD = 32
"""The longest period that is tried: every unit of a Clockwork RNN with the periods 1, 2, 4, 8, 16 and 32 moves then."""


def refuse_counted_steps(draw: Draw, in_pieces: Callable[[CellArguments, tuple[int, ...]], CellRun]) -> None:
    """Refuse a layer that gives the same in two pieces as at once where the first is as long as some period.

    Its states are then carried over as they should be, and what it does depends on the number of the step. A layer that
    drops its state there is not refused.

    Args:
        draw: The layer, and where its inputs and states start.
        in_pieces: Runs arguments in pieces of some lengths.

    Raises:
        NotRun: There is such a period.
    """
    cell = draw.cell
    for period in range(2, LONGEST_PERIOD + 1):
        arguments = draw.arguments(period + STEPS)
        if differs(draw, in_pieces(arguments, (period, STEPS)), cell.run(arguments), arguments):
            continue
        later = arguments.steps(slice(period, None), arguments.states)
        still = replace(later, states=tuple(torch.zeros_like(state) for state in later.states))
        if differs(draw, cell.run(still), cell.run(later), arguments):
            raise NotRun(
                f"it counts its steps from the start of a call: in two pieces it gives the same after {period} steps, "
                "and not after every number of steps"
            )
