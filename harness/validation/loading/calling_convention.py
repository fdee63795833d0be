"""How a target wants to be called, found by calling it: cell or sequence, which axis is time, where the state goes.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

STEPS = 4
Arrangement = Literal["rows", "columns", "one vector", "one column"]


@dataclass(frozen=True)
class CallingConvention:
    """`sequence`: called once for all steps, or once a step. `states`: how many state arrays go in (0, 1, 2).
    `packed`: two states as one tuple. `state_first`: the state is the first argument. `layered`: states are
    (1, B, d). `batch_first`: sequences are (B, T, .). `taken`: which of the arrays that come back are the output of a
    sequence and the states, in the order in which the states go in. `arrangement`: how one step's rows lie. `listed`:
    the outputs come as a list of steps.
    """

    sequence: bool
    states: int
    packed: bool = True
    state_first: bool = False
    layered: bool = False
    batch_first: bool = False
    taken: tuple[int, ...] = ()
    arrangement: Arrangement = "rows"
    listed: bool = False

    def __str__(self) -> str:
        form = f"a sequence, {'batch' if self.batch_first else 'time'} first" if self.sequence else "one step"
        state = ("no state", "one state", "two states as a tuple" if self.packed else "two states")[self.states]
        where = " before the input" if self.state_first else ""
        rows = {"rows": "", "columns": ", batch in columns", "one vector": ", one vector at a time"}
        return f"called with {form}, and {state}{where}{rows.get(self.arrangement, ', one column at a time')}"

    def arguments(self, x: Tensor, states: list[Tensor]) -> tuple[Any, ...]:
        """What the target is called with. `x` (T, B, n) or (B, n), `states` (B, d) each."""
        given = [state.unsqueeze(0) for state in states] if self.layered else states
        own: list[Any] = [tuple(given)] if len(given) == 2 and self.packed else list(given)
        if self.sequence and self.batch_first:
            x = x.transpose(0, 1)
        return (*own, x) if self.state_first else (x, *own)

    def call(self, module: Any, x: Tensor, states: list[Tensor]) -> tuple[Tensor | None, list[Tensor]]:
        """(a sequence's outputs (T, B, d), states (B, d) that came back). `module` takes `arguments`."""
        import torch

        if self.arrangement == "rows":
            return self._read(module(*self.arguments(x, states)))
        if self.arrangement == "columns":
            found = list(flat(module(*self.arguments(x.T, [state.T for state in states]))))
            return None, [found[i].T for i in self.taken]
        rows = []
        for row in range(len(x)):
            one = [
                value[row].unsqueeze(1) if self.arrangement == "one column" else value[row] for value in (x, *states)
            ]
            found = list(flat(module(*self.arguments(one[0], one[1:]))))
            rows.append([found[i].reshape(-1) for i in self.taken])
        if not rows:
            return None, [torch.zeros_like(state) for state in states]
        return None, [torch.stack(parts) for parts in zip(*rows, strict=True)]

    def _read(self, given: Any) -> tuple[Tensor | None, list[Tensor]]:
        found = list(flat(_stacked(given) if self.listed else given))
        if not self.sequence:
            return None, [found[i] for i in self.taken]
        outputs = found[self.taken[0]]
        outputs = outputs.transpose(0, 1) if self.batch_first else outputs
        return outputs, [found[i].reshape(outputs.shape[1], -1) for i in self.taken[1:]]


def _stacked(given: Any) -> Any:
    """A list of steps, alone or before what else came back, as one tensor (T, B, d)."""
    import torch

    rows, rest = (given[0], given[1:]) if isinstance(given[0], tuple | list) else (given, ())
    return (torch.stack(list(rows)), *rest)


def flat(found: Any) -> Iterator[Tensor]:
    """The tensors of what a target gives back, in order; what is none (a cache) is left out."""
    import torch

    if isinstance(found, torch.Tensor):
        yield found
    elif isinstance(found, tuple | list | Mapping):
        for one in found.values() if isinstance(found, Mapping) else found:
            yield from flat(one)


def _attempts() -> Iterator[CallingConvention]:
    for sequence, states in ((False, 1), (False, 2), (True, 1), (True, 2), (True, 0)):
        for layered, packed in itertools.product((True, False) if sequence else (False,), (True, False)):
            for state_first, batch_first in itertools.product((False, True), (False, True) if sequence else (False,)):
                if states < 2 and not packed:
                    continue
                if states == 0 and (layered or state_first):
                    continue
                yield CallingConvention(sequence, states, packed, state_first, layered, batch_first)
    others: tuple[Arrangement, ...] = ("columns", "one vector", "one column")
    for arrangement, states, packed in itertools.product(others, (1, 2), (True, False)):
        for state_first in (False, True):
            if states == 2 or packed:
                yield CallingConvention(False, states, packed, state_first, arrangement=arrangement)


def rows_unlike(*sizes: int) -> int:
    """A number of rows that no size can be taken for: where they are equal, a wrong way of calling may fit."""
    return next(rows for rows in (7, 11, 13, 17, 19, 23, 29) if rows not in (*sizes, sum(sizes)))


def find(module: Any, n: int, d: int, given: CallingConvention | None = None) -> CallingConvention:
    """How `module` is called, or whether it can be called as `given` says.

    Raises UsageError with what it said to the attempts, shortened.
    """
    import torch

    generator = torch.Generator().manual_seed(5)
    kind = next((one.dtype for one in module.parameters() if one.is_floating_point()), torch.float64)
    batch = rows_unlike(n, d)
    x = torch.randn(STEPS, batch, n, generator=generator, dtype=torch.float64).to(kind)
    told: dict[str, str] = {}
    mixing: CallingConvention | None = None
    for one in (given,) if given is not None else _attempts():
        states = [torch.randn(batch, d, generator=generator, dtype=torch.float64).to(kind) for _ in range(one.states)]
        try:
            fitting = _fits(module, one, x, [state / 2 for state in states], d)
        except (Exception, SystemExit) as error:  # a module that is called in a wrong way may raise anything
            text = str(error).splitlines()[0] if str(error) else ""
            told.setdefault(f"{type(error).__name__}: {text}"[:100], str(one))
            continue
        if fitting is not None and not fitting.sequence and not _rows_are_apart(module, fitting, x, states):
            # A loop over the first axis runs on one step's rows too, and takes them for steps.
            mixing = mixing or fitting
        elif fitting is not None:
            if fitting.states == 0 and (several := _several(module)):
                raise UsageError(f"cannot drive {type(module).__name__}:{several}")
            return fitting
    given_states = [torch.randn(batch, d, generator=generator, dtype=torch.float64).to(kind) for _ in range(2)]
    if mixing is not None and _gives_the_last_alone(module, mixing, x, given_states[: mixing.states]):
        raise UsageError(
            f"cannot drive {type(module).__name__}: of a sequence it gives the last state alone; return the states of "
            "all steps, (T, B, d), beside it"
        )
    if mixing is not None:
        return mixing
    shown = "; ".join(f"{error} ({how})" for error, how in list(told.items())[:3])
    said = f" It said: {shown}." if shown else ""
    raise UsageError(
        f"cannot drive {type(module).__name__}: no way of calling it gave states of size {d}.{said}{_several(module)}"
    )


def _several(module: Any) -> str:
    """What is known to be the matter with layers of several cells."""
    for one in module.modules():
        if getattr(one, "bidirectional", False) or int(getattr(one, "num_layers", 1) or 1) > 1:
            return " It has several layers or directions: one cell in one direction can be held against an equation"
    return ""


def _fits(module: Any, one: CallingConvention, x: Tensor, states: list[Tensor], d: int) -> CallingConvention | None:
    """The convention, completed by what came back; None if what came back is not its."""
    import torch

    batch = x.shape[1]
    with torch.no_grad():
        found = _found(module, one, x, states)
    if not one.sequence:
        shape = {"rows": (batch, d), "columns": (d, batch), "one vector": (d,), "one column": (d, 1)}[one.arrangement]
        fitting = [i for i, part in enumerate(found) if tuple(part.shape) == shape]
        if len(fitting) not in (one.states, one.states + 1):
            return None
        return replace(one, taken=_states(fitting, found, one.states))
    shape = (batch, STEPS, d) if one.batch_first else (STEPS, batch, d)
    first = next((i for i, part in enumerate(found) if tuple(part.shape) == shape), None)
    if first is None and not one.listed and not one.batch_first and len(found) >= STEPS:
        return _fits(module, replace(one, listed=True), x, states, d)
    if first is None:
        return None
    ends = [i for i, part in enumerate(found) if i != first and part.numel() == batch * d]
    if len(ends) not in (0, one.states) and one.states:
        return None
    fitting_one = replace(one, taken=(first, *ends))
    return fitting_one if _time_axis_is_right(module, fitting_one, x, states) else None


def _rows_are_apart(module: Any, one: CallingConvention, x: Tensor, states: list[Tensor]) -> bool:
    """Whether another number in one row leaves the other rows of a step as they are."""
    import torch

    if one.arrangement.startswith("one "):
        return True
    moved = x[0].clone()
    moved[1] += 1
    with torch.no_grad():
        before = [found.clone() for found in one.call(module, x[0], states)[1]]
        _, after = one.call(module, moved, states)
    others = [row for row in range(x.shape[1]) if row != 1]
    return all(torch.equal(a[others], b[others]) for a, b in zip(before, after, strict=True))


def _gives_the_last_alone(module: Any, one: CallingConvention, x: Tensor, states: list[Tensor]) -> bool:
    """Whether a whole sequence, time first, in the place of one step gives states in which no rows are mixed."""
    import torch

    moved = x.clone()
    moved[0, 1] += 1
    try:
        with torch.no_grad():
            before = [found.clone() for found in one.call(module, x, states)[1]]
            _, after = one.call(module, moved, states)
    except Exception:  # then it is no sequence that it takes
        return False
    rows = [row for row in range(x.shape[1]) if row != 1]
    fits = all(found.shape == state.shape for found, state in zip(before, states, strict=False))
    return fits and all(torch.equal(a[rows], b[rows]) for a, b in zip(before, after, strict=True))


def _found(module: Any, one: CallingConvention, x: Tensor, states: list[Tensor]) -> list[Tensor]:
    if one.sequence or one.arrangement == "rows":
        given = module(*one.arguments(x if one.sequence else x[0], states))
        return list(flat(_stacked(given) if one.listed else given))
    if one.arrangement == "columns":
        return list(flat(module(*one.arguments(x[0].T, [state.T for state in states]))))
    single = [value[0].unsqueeze(1) if one.arrangement == "one column" else value[0] for value in (x[0], *states)]
    return list(flat(module(*one.arguments(single[0], single[1:]))))


def _states(fitting: list[int], found: list[Tensor], states: int) -> tuple[int, ...]:
    """Which arrays are the states: where one more came back, the output beside them is a copy of one, first or last."""
    import torch

    if len(fitting) == states:
        return tuple(fitting)
    if states == 1 or any(torch.equal(found[fitting[0]], found[i]) for i in fitting[1:]):
        return tuple(fitting[1:])
    return tuple(fitting[:-1])


def _time_axis_is_right(module: Any, one: CallingConvention, x: Tensor, states: list[Tensor]) -> bool:
    """What happens in one row at one step reaches later steps of that row rather than other rows."""
    import torch

    moved = x.clone()
    moved[2, 1] += 1
    with torch.no_grad():
        first, _ = one.call(module, x, states)
        assert first is not None, "a sequence has outputs"
        before = first.clone()  # it may be overwritten by the next call
        after, _ = one.call(module, moved, states)
    assert after is not None, "a sequence has outputs"
    changed = (before != after).any(2)
    return bool(changed[2, 1]) and (bool(changed[3, 1]) or not bool(changed[2, 2]))
