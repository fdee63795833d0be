"""Layers whose steps read the inputs of the steps before them too, as quasi-recurrent ones do."""

from __future__ import annotations

import itertools
from dataclasses import replace

from rnn_harness.validation.consistency.driven_cell import CellArguments

WIDEST = 4
"""The largest number of steps whose inputs a step is taken to read: windows in use have two or three."""


def without_inputs_before_ends(arguments: CellArguments, lengths: tuple[int, ...], steps: int) -> CellArguments:
    """Put zeros in the place of the last inputs of every piece but the last one.

    A step whose window reaches back over the beginning of a call finds zeros there. With zeros in the whole sequence at
    the same places, a layer with such a window gives the same in pieces and at once, and one whose states are wrong
    does not.

    Args:
        arguments: The whole sequence, read forward in time.
        lengths: The lengths of the pieces, in time.
        steps: How many inputs are replaced before each end.
    """
    inputs = arguments.inputs.clone()
    for end in itertools.accumulate(lengths[:-1]):
        inputs[max(0, end - steps) : end] = 0
    return replace(arguments, inputs=inputs)
