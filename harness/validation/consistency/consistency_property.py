"""What a property is, how it is found broken, and when two runs count as equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rnn_harness.arithmetic.assumptions import CONDITION_MARGIN, CONDITION_STEP, STRUCTURAL
from rnn_harness.errors import NotRun
from rnn_harness.validation.consistency.driven_cell import CellArguments, CellRun, DrivenCell

STEPS, ROWS = 6, 3
"""The usual number of steps and of rows: enough for three pieces, and for a row in the middle."""


@dataclass(frozen=True)
class Violation:
    """How a property is broken.

    Attributes:
        part: The part of the target at fault: ``forward: ...``, ``backward: ...``, ``layout: ...`` or
            ``behaviour: ...``.
        sentence: What the target does instead.
    """

    part: str
    sentence: str


@dataclass(frozen=True)
class Note:
    """Something worth knowing about a target that keeps a property.

    Attributes:
        sentence: What it is.
    """

    sentence: str


@dataclass(frozen=True)
class Draw:
    """A cell and the seed of the numbers on which a property is tried.

    Attributes:
        cell: The cell that the property is asked of.
        seed: Where inputs, states and changes start.
    """

    cell: DrivenCell
    seed: int

    def arguments(self, steps: int = STEPS, rows: int = ROWS) -> CellArguments:
        """Draw the arguments.

        Args:
            steps: The number of steps, T.
            rows: The number of rows, B.
        """
        return self.cell.arguments(steps, rows, self.seed)


@dataclass(frozen=True)
class Property:
    """Something that holds for any recurrent cell.

    Attributes:
        name: The id of its records after ``consistency.``.
        decide: Tries it; None, or a note, where it holds. Raises NotRun where it cannot be tried.
        in_every_dtype: Whether it is tried in every dtype, and not in the widest alone.
        draws: The number of draws of which each must break it before the target is refuted.
        for_identified: Whether it says something about a cell that was identified, which is held to its equations.
    """

    name: str
    decide: Callable[[Draw], Violation | Note | None]
    in_every_dtype: bool = False
    draws: int = 3
    for_identified: bool = False


def relative_gap(computed: Tensor, expected: Tensor) -> float:
    """Return the largest difference of two arrays, relative to the largest number that is expected.

    Args:
        computed: Numbers of a run.
        expected: Numbers of another run, which give the scale.

    Returns:
        Infinity where shapes differ, or one is not finite where the other is.
    """
    if computed.shape != expected.shape:
        return float("inf")
    if not computed.numel():
        return 0.0
    computed, expected = computed.double(), expected.double()
    is_finite = torch.isfinite(expected)
    if not torch.equal(is_finite, torch.isfinite(computed)):
        return float("inf")
    if not is_finite.any():
        return 0.0
    scale = float(expected[is_finite].abs().max())
    gap = float((computed[is_finite] - expected[is_finite]).abs().max())
    return gap / scale if scale else (float("inf") if gap else 0.0)


def largest_gap(computed: CellRun, expected: CellRun) -> float:
    """Return the largest of the relative gaps of two runs' results.

    Args:
        computed: A run.
        expected: A run that must give as many tensors.
    """
    return max((relative_gap(a, b) for a, b in zip(computed.tensors, expected.tensors, strict=True)), default=0.0)


def differs(draw: Draw, computed: CellRun, expected: CellRun, arguments: CellArguments) -> bool:
    """Say whether two runs that should be equal differ by more than rounding can explain.

    Args:
        draw: The cell, and the seed.
        computed: The one run.
        expected: The other run.
        arguments: The arguments of the runs, on which the cell's condition is measured.
    """
    gap = largest_gap(computed, expected)
    return gap > STRUCTURAL[draw.cell.arithmetic] and gap > CONDITION_MARGIN * condition_gap(draw, arguments)


def condition_gap(draw: Draw, arguments: CellArguments) -> float:
    """Measure the largest relative change of a result where every input, state and parameter is rounded.

    Args:
        draw: The cell and its numbers; the changes are drawn from its seed too.
        arguments: The inputs and states of the run that is compared.
    """
    step = CONDITION_STEP[draw.cell.arithmetic]
    seeds: Iterator[int] = iter(range(draw.seed + 5000, draw.seed + 9000))

    def moved(value: Tensor) -> Tensor:
        return value * (1 + step * draw.cell.normal(next(seeds), *value.shape))

    nearby = CellArguments(moved(arguments.inputs), tuple(moved(state) for state in arguments.states))
    parameters = {name: moved(value) for name, value in draw.cell.parameters.items()}
    return largest_gap(draw.cell.run(nearby, parameters), draw.cell.run(arguments))


def replaced_states(arguments: CellArguments, states: list[Tensor]) -> CellArguments:
    """Return the same inputs from other states.

    Args:
        arguments: The inputs (T, B, n), and states that are left out.
        states: Initial states (B, d), in the cell's order.
    """
    return replace(arguments, states=tuple(states))


def needs_states(cell: DrivenCell) -> None:
    """Refuse a cell that is given no state.

    Args:
        cell: The cell that a property is asked of.

    Raises:
        NotRun: It takes none.
    """
    if not cell.convention.states:
        raise NotRun("it is given no state")


def needs_rows(cell: DrivenCell) -> None:
    """Refuse a cell that is called with one row at a time.

    Args:
        cell: The cell that a property is asked of.

    Raises:
        NotRun: It takes no batch.
    """
    if not cell.takes_rows:
        raise NotRun("it is called with one row at a time")
