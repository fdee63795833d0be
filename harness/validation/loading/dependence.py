"""What depends on what in a call: rows on rows, outputs on earlier inputs, results on the states that are given."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.validation.cells.calling_convention import CallingConvention

if TYPE_CHECKING:
    from torch import Tensor

ROW = 1
"""The row that is changed."""
_MOVES = (1, 8, -8)
"""What is added to it: a rectifier may be shut for one of them."""


def rows_are_independent(
    module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor]
) -> bool:
    """Say whether a changed number in one row of the input or of a state leaves the other rows of a step alone.

    Args:
        module: The target, as it is called.
        convention: How it is called, for single steps.
        x: The inputs (T, B, n), of which the first step is taken.
        states: The states (B, d).
    """
    import torch

    if not convention.takes_rows:
        return True
    with torch.no_grad():
        before = [state.clone() for state in convention.call(module, x[0], states)[1]]
        for row in (0, ROW):
            unmoved = [other for other in range(x.shape[1]) if other != row]
            for x_t, given in _moved_row(x[0], states, row):
                after = convention.call(module, x_t, given)[1]
                if not all(torch.equal(a[unmoved], b[unmoved]) for a, b in zip(before, after, strict=True)):
                    return False
    return True


def states_are_of_rows(
    module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor]
) -> bool:
    """Say whether a changed row of a state that is given to a sequence leaves the outputs of the other rows alone.

    Args:
        module: The target, as it is called.
        convention: How it is called, for a sequence.
        x: The inputs (T, B, n).
        states: The states (B, d).
    """
    import torch

    if not convention.takes_rows:
        return True
    others = [row for row in range(x.shape[1]) if row != ROW]
    with torch.no_grad():
        before = _outputs(module, convention, x, states)[:, others]
        for place, move in itertools.product(range(len(states)), _MOVES):
            moved = [state.clone() for state in states]
            moved[place][ROW] += move
            if not torch.equal(before, _outputs(module, convention, x, moved)[:, others]):
                return False
    return True


def _outputs(module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor]) -> Tensor:
    """The outputs (T, B, d) of a sequence, copied: they may be overwritten by the next call."""
    outputs, _ = convention.call(module, x, states)
    assert outputs is not None, "a sequence has outputs"
    return outputs.clone()


def _moved_row(x: Tensor, states: list[Tensor], row: int) -> list[tuple[Tensor, list[Tensor]]]:
    """The inputs (B, n) and states with one row changed, in one of them and in one direction at a time."""
    moved = []
    for place, move in itertools.product(range(1 + len(states)), _MOVES):
        values = [x.clone(), *(state.clone() for state in states)]
        values[place][row] += move
        moved.append((values[0], values[1:]))
    return moved


def ignored_states(
    module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor]
) -> bool:
    """Say whether a state that is given has no influence on what comes back.

    Args:
        module: The target, as it is called.
        convention: How it is called.
        x: The inputs (T, B, n).
        states: The states (B, d).
    """
    import torch

    values = x if convention.sequence else x[0]
    with torch.no_grad():
        before = _all_results(module, convention, values, states)
        for place in range(len(states)):
            choices = ([s + move if i == place else s for i, s in enumerate(states)] for move in _MOVES)
            results = (_all_results(module, convention, values, moved) for moved in choices)
            if all(all(torch.equal(a, b) for a, b in zip(before, after, strict=True)) for after in results):
                return True
    return False


def _all_results(
    module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor]
) -> list[Tensor]:
    """Copies of the outputs and states that come back; they may be overwritten by the next call."""
    outputs, finals = convention.call(module, x, states)
    return [value.clone() for value in (*finals, *([outputs] if outputs is not None else []))]


def time_axis_is_right(
    module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor]
) -> bool | None:
    """Say whether a change in one row at one step reaches later steps of that row rather than further rows.

    Args:
        module: The target, as it is called.
        convention: How it is called, for a sequence.
        x: The inputs (T, B, n).
        states: The states (B, d).

    Returns:
        None where it reaches neither, or nothing at all: that of a layer with weights of zero, or with units that are
        off, shows nothing of its axes.
    """
    import torch

    with torch.no_grad():
        before = _outputs(module, convention, x, states)
        changed = torch.zeros(before.shape[:2], dtype=torch.bool, device=before.device)
        for moved in _moved_at_a_step(x):
            changed |= (before != _outputs(module, convention, moved, states)).any(2)
            if changed[2, ROW] and (changed[3, ROW] or changed[2, 2]):
                return bool(changed[3, ROW])
    return None if changed[2, ROW] or not changed.any() else False


def reaches_itself(
    module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor]
) -> bool:
    """Say whether a change in one row at one step reaches the output of that row at that step.

    Args:
        module: The target, as it is called.
        convention: How it is called, for a sequence.
        x: The inputs (T, B, n).
        states: The states (B, d).
    """
    import torch

    with torch.no_grad():
        before = _outputs(module, convention, x, states)[2, ROW]
        later = (_outputs(module, convention, moved, states)[2, ROW] for moved in _moved_at_a_step(x))
        return any(not torch.equal(before, after) for after in later)


def _moved_at_a_step(x: Tensor) -> Iterator[Tensor]:
    """Yield inputs (T, B, n) with one row moved at one step: further and further, for units of a ReLU that are off."""
    import torch

    generator = torch.Generator().manual_seed(3)
    scales = torch.tensor([64.0, 64.0, 1024.0, 1024.0], dtype=torch.float64)
    drawn = scales[:, None] * torch.randn(4, x.shape[2], generator=generator, dtype=torch.float64)
    for move in (*(torch.full(x.shape[2:], float(size)) for size in _MOVES), *drawn):
        moved = x.clone()
        moved[2, ROW] += move.to(x.dtype).to(x.device)
        yield moved


def carries_over(module: Callable[..., object], convention: CallingConvention, x: Tensor, states: list[Tensor]) -> bool:
    """Say whether a change at one step of a sequence reaches the output of the step after it; true of single steps.

    What takes the steps for rows may carry something from each to all others, as a mean over the batch does: its
    outputs change places as its inputs do, and those of a recurrence do not.

    Args:
        module: The target, as it is called.
        convention: How it is called.
        x: The inputs (T, B, n).
        states: The states (B, d).
    """
    import torch

    if not convention.sequence:
        return True
    with torch.no_grad():
        before = _outputs(module, convention, x, states)
        is_carried = any(
            not torch.equal(before[3:], _outputs(module, convention, moved, states)[3:])
            for moved in _moved_at_a_step(x)
        )
        turned = _outputs(module, convention, x.flip(0), states).flip(0)
    tolerance = STRUCTURAL[str(before.dtype).removeprefix("torch.")] * float(before.abs().max())
    has_places = float((before - turned).abs().max()) > tolerance
    return has_places and is_carried


@dataclass(frozen=True)
class Reach:
    """Which outputs of the changed row each step's input reaches.

    Attributes:
        steps: For every step, the steps whose outputs change.
        reaches_other_rows: Whether outputs of other rows change.
    """

    steps: tuple[frozenset[int], ...]
    reaches_other_rows: bool

    def is_forward(self) -> bool:
        """Say whether every step reaches its own output, and later ones alone."""
        return self._first_steps() == list(range(len(self.steps)))

    def is_late(self) -> bool:
        """Say whether every step reaches the outputs after its own alone."""
        ends = range(len(self.steps))
        return not self.steps[-1] and self._first_steps()[:-1] == list(ends)[1:]

    def is_reversed(self) -> bool:
        """Say whether the outputs run the other way than the inputs."""
        last = len(self.steps) - 1
        in_reverse = all(steps == set(range(last - t + 1)) for t, steps in enumerate(self.steps))
        not_turned_back = all(steps == set(range(last - t, last + 1)) for t, steps in enumerate(self.steps))
        return in_reverse or not_turned_back

    def is_of_first_step_alone(self) -> bool:
        """Say whether the first step reaches every output, and no later one reaches any."""
        first, *later = self.steps
        return first == set(range(len(self.steps))) and not any(later)

    def _first_steps(self) -> list[int]:
        """The first output that every step reaches; -1 where it reaches none."""
        return [min(steps, default=-1) for steps in self.steps]


def reach_of_steps(base: Tensor, moved: list[Tensor]) -> Reach:
    """Compare outputs with those after each step's input of one row was changed.

    Args:
        base: The outputs (T, B, d).
        moved: The outputs after the input of step 0, 1, ... was changed in the row `ROW`.
    """
    steps, others = [], False
    for outputs in moved:
        changed = (outputs != base).any(2)
        steps.append(frozenset(step for step in range(len(base)) if changed[step, ROW]))
        changed[:, ROW] = False
        others = others or bool(changed.any())
    return Reach(tuple(steps), others)
