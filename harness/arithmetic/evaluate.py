"""Run a program over a sequence in any arithmetic."""

from __future__ import annotations

from typing import cast

from rnn_harness.arithmetic.compile.generate import Key, compiled_assignments
from rnn_harness.arithmetic.compile.sequence import run_sequence
from rnn_harness.arithmetic.protocol import Arithmetic, OpenT, StoredT, Trajectory, Values
from rnn_harness.array_types import Array
from rnn_harness.specs.program import Pass, Program


def evaluate(program: Program, values: Values, arithmetic: Arithmetic[StoredT, OpenT]) -> Trajectory[StoredT]:
    """Compute every symbol of a program at every step.

    Args:
        program: The equations, in passes.
        values: Numbers for its symbols, T steps of B rows.
        arithmetic: What numbers are and how operations round.

    Returns:
        All values, as the arithmetic stores them.

    Raises:
        KeyError: A symbol has no value; the error names it.
    """
    with arithmetic.scope():
        parameters = {name: arithmetic.array(value) for name, value in values.parameters.items()}
        initial = {name: arithmetic.array(value) for name, value in values.states.items()}
        steps = values.steps
        inputs = [{name: arithmetic.array(value[t]) for name, value in values.inputs.items()} for t in range(steps)]
        indices = [{name: value[t] for name, value in values.indices.items()} for t in range(steps)]
        computed: list[dict[str, StoredT]] = [{} for _ in range(steps)]
        trajectory = Trajectory(computed, initial, parameters, inputs, indices, dict(values.sizes))
        fill_trajectory(program, trajectory, computed, arithmetic)
    return trajectory


def fill_trajectory(
    program: Program,
    trajectory: Trajectory[StoredT],
    steps: list[dict[str, StoredT]],
    arithmetic: Arithmetic[StoredT, OpenT],
) -> None:
    """Compute every symbol of a program at every step, from values that the arithmetic has stored already.

    Args:
        program: The equations, in passes.
        trajectory: Parameters, inputs and initial states.
        steps: The steps of the trajectory, one table each; what is computed is added to them.
        arithmetic: The arithmetic of the trajectory.

    Raises:
        KeyError: A symbol has no value; the error names it.
    """
    for pass_ in program.passes:
        if arithmetic.fused and steps:
            # A fused arithmetic is one on NumPy arrays: the types cannot say it.
            numpy_trajectory = cast("Trajectory[Array]", trajectory)
            numpy_arithmetic = cast("Arithmetic[Array, Array]", arithmetic)
            numpy_steps = cast("list[dict[str, Array]]", steps)
            order = walk_order(pass_.direction, len(steps))
            run_sequence(pass_, numpy_trajectory, numpy_steps, numpy_arithmetic, order)
        else:
            _run_pass(pass_, trajectory, steps, arithmetic)


def walk_order(direction: int, steps: int) -> range:
    """Return the steps in the order in which a pass of that direction (+1, -1 or 0) walks them.

    Args:
        direction: -1 for a pass from the last step to the first.
        steps: T.
    """
    return range(steps - 1, -1, -1) if direction < 0 else range(steps)


def environment(trajectory: Trajectory[StoredT], t: int, pass_: Pass) -> dict[Key, StoredT]:
    """Collect the values a pass may read at step `t`.

    Args:
        trajectory: The values computed so far; not changed.
        t: The step, from 0.
        pass_: The pass that is about to compute step `t`.

    Returns:
        Parameters (time None), inputs and what is computed at t (time 0), and the pass's carried states at the step
        walked before (time -direction).
    """
    env: dict[Key, StoredT] = {(name, None): value for name, value in trajectory.parameters.items()}
    env.update(((name, 0), value) for name, value in trajectory.inputs[t].items())
    env.update(((name, 0), value) for name, value in trajectory.steps[t].items())
    before = t - pass_.direction
    inside = 0 <= before < len(trajectory.steps)
    source = trajectory.steps[before] if inside else trajectory.initial
    env.update(((state.name, -pass_.direction), source[state.name]) for state in pass_.carried)
    return env


def _run_pass(
    pass_: Pass,
    trajectory: Trajectory[StoredT],
    steps: list[dict[str, StoredT]],
    arithmetic: Arithmetic[StoredT, OpenT],
) -> None:
    """Add a pass's values to `steps`, which are those of `trajectory`, step by step."""
    run = compiled_assignments(pass_, pass_.assignments, trajectory.sizes)
    env: dict[Key, StoredT | OpenT] = {(name, None): value for name, value in trajectory.parameters.items()}
    carried = [state.name for state in pass_.carried]
    before = -pass_.direction
    for name in carried:
        env[name, before] = trajectory.initial[name]
    for t in walk_order(pass_.direction, len(steps)):
        step = steps[t]
        for name, value in trajectory.inputs[t].items():
            env[name, 0] = value
        for name, value in step.items():
            env[name, 0] = value
        for (name, _), value in run(arithmetic, env, trajectory.indices[t]).items():
            step[name] = value
        for name in carried:
            env[name, before] = step[name]
