"""A pass over a whole sequence in NumPy, with as few calls as its recurrence allows.

What the carried states wait for is walked step by step, its affine sums taken together (`fuse`); everything else is
computed for all steps at once, as T B rows of one batch.
"""

from __future__ import annotations

import numpy as np

from rnn_harness.arithmetic.compile.fuse import Columns, Plan, columns, plan
from rnn_harness.arithmetic.compile.generate import Key, compiled_assignments
from rnn_harness.arithmetic.protocol import Arithmetic, Trajectory
from rnn_harness.array_types import Array
from rnn_harness.specs.expression import Role, variables
from rnn_harness.specs.program import Pass


def run_sequence(
    pass_: Pass,
    trajectory: Trajectory[Array],
    steps: list[dict[str, Array]],
    arithmetic: Arithmetic[Array, Array],
    order: range,
) -> None:
    """Add a pass's values to a trajectory.

    Args:
        pass_: The pass.
        trajectory: At least one step, with everything that earlier passes computed.
        steps: The trajectory's steps; they are added to.
        arithmetic: An arithmetic on NumPy arrays.
        order: The steps in the order of the walk.
    """
    pass_plan = plan(pass_)
    if pass_plan.walk:
        _walk(pass_, pass_plan, trajectory, steps, arithmetic, order)
    if pass_plan.after:
        _after(pass_plan, trajectory, steps, arithmetic, order)


def _walk(
    pass_: Pass,
    pass_plan: Plan,
    trajectory: Trajectory[Array],
    steps: list[dict[str, Array]],
    arithmetic: Arithmetic[Array, Array],
    order: range,
) -> None:
    """Compute what the carried states wait for, step by step."""
    run = compiled_assignments(pass_plan, pass_plan.walk, trajectory.sizes)
    filled = columns(pass_plan, trajectory) if pass_plan.blocks else None
    env: dict[Key, Array] = {(name, None): value for name, value in trajectory.parameters.items()}
    before = -pass_.direction
    carried: list[tuple[str, Key]] = [(state.name, (state.name, before)) for state in pass_.carried]
    for name, key in carried:
        env[key] = trajectory.initial[name]
    for t in order:
        step = steps[t]
        for name, value in trajectory.inputs[t].items():
            env[name, 0] = value
        for name, value in step.items():
            env[name, 0] = value
        if filled is not None:
            _fill(filled, t, env, before, arithmetic)
        for (name, _), value in run(arithmetic, env, trajectory.indices[t]).items():
            step[name] = value
        for name, key in carried:
            env[key] = step[name]


def _fill(filled: Columns, t: int, env: dict[Key, Array], before: int, arithmetic: Arithmetic[Array, Array]) -> None:
    """Put the blocks' values at step t into `env`, by name."""
    sums = filled.early[t]
    for product in filled.recurrent:
        part = sums[:, product.start : product.stop]
        part += env[product.state, before] @ product.matrix
    for run in filled.runs:
        value = sums[:, run.start : run.stop]
        if run.function is not None:
            value = arithmetic.apply(run.function, value)
        for member in run.members:
            env[member.name, 0] = value[:, member.start : member.stop]


def _after(
    pass_plan: Plan,
    trajectory: Trajectory[Array],
    steps: list[dict[str, Array]],
    arithmetic: Arithmetic[Array, Array],
    order: range,
) -> None:
    """Compute what no later step needs, for all steps at once."""
    targets = {assignment.target.name for assignment in pass_plan.after}
    env: dict[Key, Array] = {(name, None): value for name, value in trajectory.parameters.items()}
    for variable in dict.fromkeys(v for assignment in pass_plan.after for v in variables(assignment.expression)):
        if variable.role is not Role.PARAMETER and variable.name not in targets:
            env[variable.name, variable.time] = np.concatenate(
                _over_time(variable.name, variable.time, trajectory, order)
            )
    indices = {name: np.concatenate([at[name] for at in trajectory.indices]) for name in trajectory.indices[0]}
    run = compiled_assignments(pass_plan.after, pass_plan.after, trajectory.sizes)
    rows = len(steps) * len(next(iter(trajectory.inputs[0].values())))
    for (name, _), value in run(arithmetic, env, indices).items():
        if np.ndim(value) and len(value) == rows and rows != 1:
            parts = list(value.reshape(len(steps), rows // len(steps), *value.shape[1:]))
        else:
            parts = [value] * len(steps)  # a constant, or a single row
        for step, part in zip(steps, parts, strict=True):
            step[name] = part


def _over_time(name: str, time: int | None, trajectory: Trajectory[Array], order: range) -> list[Array]:
    """Return a value at all steps, or at the step walked before each of them."""
    source = trajectory.inputs if name in trajectory.inputs[0] else trajectory.steps
    now = [step[name] for step in source]
    if time == 0:
        return now
    return [trajectory.initial[name], *now[:-1]] if order.step > 0 else [*now[1:], trajectory.initial[name]]
