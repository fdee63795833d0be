"""In which format does a cell really compute? Code that says float64 may compute in float32 inside, or more coarsely.

Where its inputs or states are moved a little, and then twice as much, a smooth function in fine arithmetic changes
twice as much; in coarse arithmetic the little is lost in rounding. Weights stay: they may be rounded on purpose.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from rnn_harness.arithmetic.assumptions import LINEARITY, LITTLE_STEP
from rnn_harness.validation.consistency.driven_cell import CellArguments, CellRun, DrivenCell

STEPS, ROWS, SEEDS, LONG_WAY = 2, 3, (4000, 4100), 0.25


def real_arithmetic(cell: DrivenCell) -> str:
    """Name the format in which a cell computes: the finer of two where it differs with gradients and without.

    Args:
        cell: The cell in the dtype that its parameters have.

    Returns:
        ``float64``, ``float32``, or empty where it is coarser than both.
    """
    formats = ("float64", "float32") if cell.dtype == "float64" else ("float32",)
    modes = (False,) if cell.capabilities.no_gradients_reason else (False, True)
    return next((name for name in formats if any(_is_linear(cell, LITTLE_STEP[name], mode) for mode in modes)), "")


def with_real_arithmetic(cell: DrivenCell) -> DrivenCell:
    """Return the same cell, judged in the format in which it computes.

    Args:
        cell: The cell in its declared dtype; it is run to find out.
    """
    return replace(cell, arithmetic=real_arithmetic(cell))


def _is_linear(cell: DrivenCell, step: float, with_gradients: bool) -> bool:
    """Whether twice the step changes what comes back twice as much, for the inputs and for every state alone."""
    leaves = range(1 + cell.convention.states)
    return all(
        any(_bend(cell, leaf, step, seed, with_gradients) <= LINEARITY for seed in SEEDS)  # one meets a kink
        for leaf in leaves
    )


def _bend(cell: DrivenCell, leaf: int, step: float, seed: int, with_gradients: bool) -> float:
    """By which share of its change a second step of the same length changes the results differently."""
    still, near, far, elsewhere = (
        torch.cat([value.flatten().double() for value in _moved(cell, leaf, distance, seed, with_gradients).tensors])
        for distance in (0.0, step, 2 * step, LONG_WAY)
    )
    if torch.equal(still, elsewhere):
        return 0.0  # it has no influence, so it says nothing
    change = float((near - still).abs().max())
    return float((far - 2 * near + still).abs().max()) / change if change else float("inf")


def _moved(cell: DrivenCell, leaf: int, distance: float, seed: int, with_gradients: bool) -> CellRun:
    """Run the cell with its inputs (0) or one of its states (from 1 on) moved in one direction."""
    arguments = cell.arguments(STEPS, ROWS, seed)
    inputs, *states = (
        value + distance * cell.normal(seed + 1 + k, *value.shape) if k == leaf else value
        for k, value in enumerate((arguments.inputs, *arguments.states))
    )
    moved = CellArguments(inputs, tuple(states))
    if not with_gradients:
        return cell.run(moved)
    leaves = cell.leaves(moved)
    return cell.connected_run(leaves.arguments, leaves.parameters).detached()
