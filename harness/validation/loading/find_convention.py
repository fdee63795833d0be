"""Find out how a target wants to be called, by calling it in every way that is known."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rnn_harness.errors import UsageError
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.calling_convention import (
    Arrangement,
    CallingConvention,
    distinct_batch_size,
    flat_tensors,
    stacked_steps,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

STEPS = 4


def find_convention(module: nn.Module, n: int, d: int, declared: CallingConvention | None = None) -> CallingConvention:
    """Find how a module is called.

    Args:
        module: The module.
        n: Its input size.
        d: Its hidden size.
        declared: The convention that it is known to have, which is then the only one tried.

    Raises:
        UsageError: It cannot be called in any known way; the message holds the errors that it raised, shortened.
    """
    import torch

    generator = torch.Generator().manual_seed(5)
    dtype = next((value.dtype for value in module.parameters() if value.is_floating_point()), torch.float64)
    batch = distinct_batch_size(n, d)

    def random_states(count: int) -> list[Tensor]:
        return [torch.randn(batch, d, generator=generator, dtype=torch.float64).to(dtype) for _ in range(count)]

    x = torch.randn(STEPS, batch, n, generator=generator, dtype=torch.float64).to(dtype)
    errors: dict[str, str] = {}
    mixing_rows: CallingConvention | None = None
    for attempt in (declared,) if declared is not None else _attempts():
        states = random_states(attempt.states)
        try:
            fitting = _completed(module, attempt, x, [state / 2 for state in states], d)
        except (Exception, SystemExit) as error:  # a module that is called in a wrong way may raise anything
            text = str(error).splitlines()[0] if str(error) else ""
            errors.setdefault(f"{type(error).__name__}: {text}"[:100], str(attempt))
            continue
        if fitting is not None and not fitting.sequence and not _rows_are_independent(module, fitting, x, states):
            # A loop over the first axis runs on one step's rows too, and takes them for steps.
            mixing_rows = mixing_rows or fitting
        elif fitting is not None:
            if fitting.states == 0 and (hint := _several_layers_hint(module)):
                raise UsageError(f"cannot drive {type(module).__name__}:{hint}")
            return fitting
    if mixing_rows is not None and _gives_last_state_alone(module, mixing_rows, x, random_states(mixing_rows.states)):
        raise UsageError(
            f"cannot drive {type(module).__name__}: of a sequence it gives the last state alone; return the states of "
            "all steps, (T, B, d), next to it"
        )
    if mixing_rows is not None:
        return mixing_rows
    shown = "; ".join(f"{error} ({attempt})" for error, attempt in list(errors.items())[:3])
    reasons = f" It said: {shown}." if shown else ""
    raise UsageError(
        f"cannot drive {type(module).__name__}: no way of calling it gave states of size {d}.{reasons}"
        f"{_several_layers_hint(module)}"
    )


def _attempts() -> Iterator[CallingConvention]:
    """Every convention that is tried, likely ones first."""
    for sequence, states in ((False, 1), (False, 2), (True, 1), (True, 2), (True, 0)):
        for layered, packed in itertools.product((True, False) if sequence else (False,), (True, False)):
            for state_first, batch_first in itertools.product((False, True), (False, True) if sequence else (False,)):
                if states < 2 and not packed:
                    continue
                if states == 0 and (layered or state_first):
                    continue
                yield CallingConvention(sequence, states, packed, state_first, layered, batch_first)
    arrangements: tuple[Arrangement, ...] = ("columns", "one vector", "one column")
    for arrangement, states, packed in itertools.product(arrangements, (1, 2), (True, False)):
        for state_first in (False, True):
            if states == 2 or packed:
                yield CallingConvention(False, states, packed, state_first, arrangement=arrangement)


def _several_layers_hint(module: nn.Module) -> str:
    """A sentence about layers of several cells, which cannot be driven; empty if the module is none."""
    for part in module.modules():
        # Modules of any origin: only those that follow torch's layers have these attributes.
        if getattr(part, "bidirectional", False) or int(getattr(part, "num_layers", 1) or 1) > 1:
            return " It has several layers or directions: one cell in one direction can be held against an equation"
    return ""


def _completed(
    module: nn.Module, attempt: CallingConvention, x: Tensor, states: list[Tensor], d: int
) -> CallingConvention | None:
    """The convention, completed by what came back; None if what came back does not fit it."""
    import torch

    batch = x.shape[1]
    with torch.no_grad():
        results = _results(module, attempt, x, states)
    if not attempt.sequence:
        step_shapes = {"rows": (batch, d), "columns": (d, batch), "one vector": (d,), "one column": (d, 1)}
        fitting = [i for i, part in enumerate(results) if tuple(part.shape) == step_shapes[attempt.arrangement]]
        if len(fitting) not in (attempt.states, attempt.states + 1):
            return None
        return replace(attempt, taken=_state_places(fitting, results, attempt.states))
    shape = (batch, STEPS, d) if attempt.batch_first else (STEPS, batch, d)
    first = next((i for i, part in enumerate(results) if tuple(part.shape) == shape), None)
    if first is None and not attempt.listed and not attempt.batch_first and len(results) >= STEPS:
        return _completed(module, replace(attempt, listed=True), x, states, d)
    if first is None:
        return None
    ends = [i for i, part in enumerate(results) if i != first and part.numel() == batch * d]
    if len(ends) not in (0, attempt.states) and attempt.states:
        return None
    completed = replace(attempt, taken=(first, *ends))
    return completed if _time_axis_is_right(module, completed, x, states) else None


def _rows_are_independent(module: nn.Module, convention: CallingConvention, x: Tensor, states: list[Tensor]) -> bool:
    """Whether a changed number in one row leaves the remaining rows of a step as they are."""
    import torch

    if convention.arrangement.startswith("one "):
        return True
    moved = x[0].clone()
    moved[1] += 1
    with torch.no_grad():
        before = [state.clone() for state in convention.call(module, x[0], states)[1]]
        _, after = convention.call(module, moved, states)
    unmoved = [row for row in range(x.shape[1]) if row != 1]
    return all(torch.equal(a[unmoved], b[unmoved]) for a, b in zip(before, after, strict=True))


def _gives_last_state_alone(module: nn.Module, convention: CallingConvention, x: Tensor, states: list[Tensor]) -> bool:
    """Whether a sequence, time first, in the place of one step gives states in which no rows are mixed."""
    import torch

    moved = x.clone()
    moved[0, 1] += 1
    try:
        with torch.no_grad():
            before = [state.clone() for state in convention.call(module, x, states)[1]]
            _, after = convention.call(module, moved, states)
    except Exception:  # then it is no sequence that it takes
        return False
    unmoved = [row for row in range(x.shape[1]) if row != 1]
    fits = all(result.shape == state.shape for result, state in zip(before, states, strict=False))
    return fits and all(torch.equal(a[unmoved], b[unmoved]) for a, b in zip(before, after, strict=True))


def _results(module: nn.Module, attempt: CallingConvention, x: Tensor, states: list[Tensor]) -> list[Tensor]:
    """The tensors that a module gives for a sequence, or for its first step or row."""
    if attempt.sequence or attempt.arrangement == "rows":
        result = call_target(module, *attempt.arguments(x if attempt.sequence else x[0], states))
        return list(flat_tensors(stacked_steps(result) if attempt.listed else result))
    if attempt.arrangement == "columns":
        return list(flat_tensors(call_target(module, *attempt.arguments(x[0].T, [state.T for state in states]))))
    row = [value[0].unsqueeze(1) if attempt.arrangement == "one column" else value[0] for value in (x[0], *states)]
    return list(flat_tensors(call_target(module, *attempt.arguments(row[0], row[1:]))))


def _state_places(fitting: list[int], results: list[Tensor], states: int) -> tuple[int, ...]:
    """Which results are the states: where there is one more, it is an output that repeats a state, first or last."""
    import torch

    if len(fitting) == states:
        return tuple(fitting)
    if states == 1 or any(torch.equal(results[fitting[0]], results[i]) for i in fitting[1:]):
        return tuple(fitting[1:])
    return tuple(fitting[:-1])


def _time_axis_is_right(module: nn.Module, convention: CallingConvention, x: Tensor, states: list[Tensor]) -> bool:
    """Whether a change in one row at one step reaches later steps of that row rather than further rows."""
    import torch

    moved = x.clone()
    moved[2, 1] += 1
    with torch.no_grad():
        outputs, _ = convention.call(module, x, states)
        assert outputs is not None, "a sequence has outputs"
        before = outputs.clone()  # it may be overwritten by the next call
        after, _ = convention.call(module, moved, states)
    assert after is not None, "a sequence has outputs"
    changed = (before != after).any(2)
    return bool(changed[2, 1]) and (bool(changed[3, 1]) or not bool(changed[2, 2]))
