"""How a module wants to be called, found by calling it: cell or sequence, which axis is time, where the state goes.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

STEPS, BATCH = 4, 3


@dataclass(frozen=True)
class Convention:
    """`sequence`: called once for all steps, or once a step. `states`: how many state tensors go in (0, 1, 2).
    `packed`: two states as one tuple. `state_first`: the state is the first argument. `layered`: states are
    (1, B, d). `batch_first`: sequences are (B, T, .). `first_output`: a separate output comes before the states.
    """

    sequence: bool
    states: int
    packed: bool = True
    state_first: bool = False
    layered: bool = False
    batch_first: bool = False
    first_output: bool = False

    def __str__(self) -> str:
        form = f"a sequence, {'batch' if self.batch_first else 'time'} first" if self.sequence else "one step"
        state = ("no state", "one state", "two states as a tuple" if self.packed else "two states")[self.states]
        return f"called with {form}, and {state}{' before the input' if self.state_first else ''}"

    def arguments(self, x: Tensor, states: list[Tensor]) -> tuple[Any, ...]:
        """What the module is called with. `x` (T, B, n) or (B, n), `states` (B, d) each."""
        given = [state.unsqueeze(0) for state in states] if self.layered else states
        own: list[Any] = [tuple(given)] if len(given) == 2 and self.packed else list(given)
        if self.sequence and self.batch_first:
            x = x.transpose(0, 1)
        return (*own, x) if self.state_first else (x, *own)

    def read(self, found: Any, batch: int) -> tuple[Tensor, list[Tensor]]:
        """(outputs (T, B, d) or the step's hidden state (B, d), states (B, d)); of a sequence without states, none."""
        flat = list(_flat(found))
        if self.sequence:
            outputs = flat[0].transpose(0, 1) if self.batch_first else flat[0]
            return outputs, [state.reshape(batch, state.shape[-1]) for state in flat[1:]]
        states = flat[1:] if self.first_output else flat
        return flat[0], states


def _flat(found: Any) -> Iterator[Tensor]:
    import torch

    if isinstance(found, torch.Tensor):
        yield found
    elif isinstance(found, tuple | list):
        for one in found:
            yield from _flat(one)
    else:
        raise TypeError(f"the module returns a {type(found).__name__}; expected tensors")


def _attempts() -> Iterator[Convention]:
    for sequence, states in ((False, 1), (False, 2), (True, 1), (True, 2), (True, 0)):
        for layered, packed in itertools.product((True, False) if sequence else (False,), (True, False)):
            for state_first, batch_first in itertools.product((False, True), (False, True) if sequence else (False,)):
                if states < 2 and not packed:
                    continue
                if states == 0 and (layered or state_first):
                    continue
                yield Convention(sequence, states, packed, state_first, layered, batch_first)


def find(module: Any, n: int, d: int) -> Convention:
    """How `module` is called. Raises UsageError with what it said to every attempt, shortened."""
    import torch

    generator = torch.Generator().manual_seed(5)
    x = torch.randn(STEPS, BATCH, n, generator=generator, dtype=torch.float64)
    told: dict[str, str] = {}
    for one in _attempts():
        states = [torch.randn(BATCH, d, generator=generator, dtype=torch.float64) / 2 for _ in range(one.states)]
        try:
            fitting = _fits(module, one, x, states, d)
        except Exception as error:  # a module that is called in a wrong way may raise anything
            told.setdefault(
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:100], str(one)
            )
            continue
        if fitting is not None:
            return fitting
    shown = "; ".join(f"{error} ({how})" for error, how in list(told.items())[:3])
    raise UsageError(
        f"cannot drive {type(module).__name__}: no way of calling it gave states of size {d}. It said: {shown}"
    )


def _fits(module: Any, one: Convention, x: Tensor, states: list[Tensor], d: int) -> Convention | None:
    """The convention, completed by what came back; None if what came back is not its."""
    import torch

    batch = x.shape[1]
    with torch.no_grad():
        found = list(_flat(module(*one.arguments(x if one.sequence else x[0], states))))
    if not one.sequence:
        if any(part.shape != (batch, d) for part in found) or len(found) not in (one.states, one.states + 1):
            return None
        separate = len(found) == one.states + 1
        return Convention(False, one.states, one.packed, one.state_first, first_output=separate)
    shape = (batch, STEPS, d) if one.batch_first else (STEPS, batch, d)
    if found[0].shape != shape or any(part.numel() != batch * d for part in found[1:]):
        return None
    if len(found) - 1 not in (one.states, 1, 2) and len(found) != 1:
        return None
    return one if _time_axis_is_right(module, one, x, states) else None


def _time_axis_is_right(module: Any, one: Convention, x: Tensor, states: list[Tensor]) -> bool:
    """What happens in one row at one step reaches later steps of that row, and nothing else."""
    import torch

    moved = x.clone()
    moved[2, 1] += 1
    with torch.no_grad():
        before, _ = one.read(module(*one.arguments(x, states)), x.shape[1])
        after, _ = one.read(module(*one.arguments(moved, states)), x.shape[1])
    changed = (before != after).any(2)
    return bool(changed[2, 1]) and not bool(changed[:2].any()) and not bool(changed[:, [0, 2]].any())
