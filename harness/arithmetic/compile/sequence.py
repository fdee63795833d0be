"""A pass over a whole sequence in NumPy, with as few calls as its recurrence allows.

What the carried states wait for is walked step by step, its affine sums taken together (`_fuse`); everything else is
computed for all steps at once, as T B rows of one batch.

Dimension legend: T time steps, B batch rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_harness.arithmetic.compile.fuse import Columns, Plan, columns, plan
from rnn_harness.arithmetic.compile.generate import Key, compiled, targets_of
from rnn_harness.arithmetic.protocol import Arithmetic, Trajectory
from rnn_harness.specs.expression import Role, variables
from rnn_harness.specs.program import Pass


def run_sequence(
    one: Pass, trajectory: Trajectory, steps: list[dict[str, Any]], arithmetic: Arithmetic, order: range
) -> None:
    """Add the pass's values to `steps`, those of `trajectory`, at least one; `order` is that of its walk."""
    found = plan(one)
    if found.walk:
        _walk(one, found, trajectory, steps, arithmetic, order)
    if found.after:
        _after(one, found, trajectory, steps, arithmetic, order)


def _walk(
    one: Pass, found: Plan, trajectory: Trajectory, steps: list[dict[str, Any]], arithmetic: Arithmetic, order: range
) -> None:
    run = compiled(found, lambda: targets_of(found.walk), trajectory.sizes)
    filled = columns(found, trajectory) if found.blocks else None
    env: dict[Key, Any] = {(name, None): value for name, value in trajectory.parameters.items()}
    back = -one.direction
    carried = [(state.name, (state.name, back)) for state in one.carried]
    for name, where in carried:
        env[where] = trajectory.initial[name]
    for t in order:
        step = steps[t]
        for name, value in trajectory.inputs[t].items():
            env[name, 0] = value
        for name, value in step.items():
            env[name, 0] = value
        if filled is not None:
            _fill(filled, t, env, back, arithmetic)
        for (name, _), value in run(arithmetic, env, trajectory.indices[t]).items():
            step[name] = value
        for name, where in carried:
            env[where] = step[name]


def _fill(filled: Columns, t: int, env: dict[Key, Any], back: int, arithmetic: Arithmetic) -> None:
    """The blocks' values at step t, by name, into `env`."""
    z = filled.early[t]
    for name, a, b, matrix in filled.recurrent:
        part = z[:, a:b]
        part += env[name, back] @ matrix
    for function, a, b, members in filled.runs:
        value = z[:, a:b] if function is None else arithmetic.apply(function, z[:, a:b])
        for name, start, stop in members:
            env[name, 0] = value[:, start:stop]


def _after(
    one: Pass, found: Plan, trajectory: Trajectory, steps: list[dict[str, Any]], arithmetic: Arithmetic, order: range
) -> None:
    own = {assignment.target.name for assignment in found.after}
    env: dict[Key, Any] = {(name, None): value for name, value in trajectory.parameters.items()}
    for variable in dict.fromkeys(v for a in found.after for v in variables(a.expression)):
        if variable.role is not Role.PARAMETER and variable.name not in own:
            env[variable.name, variable.time] = np.concatenate(
                _over_time(variable.name, variable.time, trajectory, order)
            )
    indices = {name: np.concatenate([at[name] for at in trajectory.indices]) for name in trajectory.indices[0]}
    run = compiled(found.after, lambda: targets_of(found.after), trajectory.sizes)
    rows = len(steps) * len(next(iter(trajectory.inputs[0].values())))
    for (name, _), value in run(arithmetic, env, indices).items():
        if np.ndim(value) and len(value) == rows and rows != 1:
            parts = value.reshape(len(steps), rows // len(steps), *value.shape[1:])
        else:
            parts = [value] * len(steps)  # a constant, or a single row
        for step, part in zip(steps, parts, strict=True):
            step[name] = part


def _over_time(name: str, time: int | None, trajectory: Trajectory, order: range) -> list[Any]:
    """A value at all steps, or at the step walked before each of them."""
    source = trajectory.inputs if name in trajectory.inputs[0] else trajectory.steps
    now = [step[name] for step in source]
    if time == 0:
        return now
    return [trajectory.initial[name], *now[:-1]] if order.step > 0 else [*now[1:], trajectory.initial[name]]
