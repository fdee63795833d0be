"""Are the gradients of the weights means over the batch, and not sums? A convention of course code, and no mistake."""

from __future__ import annotations

from dataclasses import replace

import torch

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.validation.consistency.consistency_property import relative_gap
from rnn_harness.validation.consistency.difference_quotients import random_like
from rnn_harness.validation.consistency.driven_cell import CellArguments, DrivenCell
from rnn_harness.validation.consistency.gradient_properties import compare_with_quotients

STEPS, ROWS, SEED = 2, 3, 1


def averages_gradients(cell: DrivenCell) -> bool:
    """Say whether the gradients of all parameters are those of the sum over the rows, divided by the number of rows.

    Rows that are all there twice leave a mean as it is and double a sum. That decides nothing alone, since a gradient
    of the first rows would not change either: times the number of rows it must be the slope of the cell's own results.

    Args:
        cell: A cell with gradients that takes a batch, of which nothing is known about them.
    """
    arguments = cell.arguments(STEPS, ROWS, SEED)
    twice = CellArguments(
        torch.cat([arguments.inputs] * 2, 1), tuple(torch.cat([state] * 2) for state in arguments.states)
    )
    cotangents = random_like(cell.run(arguments).tensors, SEED)
    doubled = [torch.cat([cotangent] * 2, -2) for cotangent in cotangents]
    once, again = cell.gradients(arguments, cotangents), cell.gradients(twice, doubled)
    tolerance = STRUCTURAL[cell.arithmetic]
    moving = [name for name in cell.parameters if once[name].any()]
    if not moving or any(relative_gap(again[name], once[name]) > tolerance for name in moving):
        return False
    summed = replace(cell, convention=replace(cell.convention, averages_gradients=True))
    return compare_with_quotients(summed, arguments, SEED) is None
