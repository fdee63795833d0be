"""Run a program over a sequence in any arithmetic.

Dimension legend: T time steps, B batch rows.
"""

from __future__ import annotations

from typing import Any

from rnn_harness.arithmetic.compile.generate import compiled, targets_of
from rnn_harness.arithmetic.compile.sequence import run_sequence
from rnn_harness.arithmetic.protocol import Arithmetic, Trajectory, Values
from rnn_harness.specs.program import Pass, Program


def evaluate(program: Program, values: Values, arithmetic: Arithmetic) -> Trajectory:
    """All values of `program` over the sequence. KeyError names a symbol without a value."""
    with arithmetic.scope():
        parameters = {name: arithmetic.array(value) for name, value in values.parameters.items()}
        initial = {name: arithmetic.array(value) for name, value in values.states.items()}
        steps = values.steps
        inputs = [{k: arithmetic.array(v[t]) for k, v in values.inputs.items()} for t in range(steps)]
        indices = [{name: value[t] for name, value in values.indices.items()} for t in range(steps)]
        found: list[dict[str, Any]] = [{} for _ in range(steps)]
        trajectory = Trajectory(found, initial, parameters, inputs, indices, dict(values.sizes))
        for one in program.passes:
            if arithmetic.fused and steps:
                run_sequence(one, trajectory, found, arithmetic, order(one.direction, steps))
            else:
                _run_pass(one, trajectory, found, arithmetic)
    return trajectory


def order(direction: int, steps: int) -> range:
    """The steps in the order in which a pass of that direction walks them."""
    return range(steps - 1, -1, -1) if direction < 0 else range(steps)


def environment(trajectory: Trajectory, t: int, one: Pass) -> dict[tuple[str, int | None], Any]:
    """The values a pass may use at step t: parameters, inputs, what is known at t, and its carried states."""
    env: dict[tuple[str, int | None], Any] = {(k, None): v for k, v in trajectory.parameters.items()}
    env.update(((k, 0), v) for k, v in trajectory.inputs[t].items())
    env.update(((k, 0), v) for k, v in trajectory.steps[t].items())
    before = t - one.direction
    inside = 0 <= before < len(trajectory.steps)
    source = trajectory.steps[before] if inside else trajectory.initial
    env.update(((state.name, -one.direction), source[state.name]) for state in one.carried)
    return env


def _run_pass(one: Pass, trajectory: Trajectory, steps: list[dict[str, Any]], arithmetic: Arithmetic) -> None:
    run = compiled(one, lambda: targets_of(one.assignments), trajectory.sizes)
    env: dict[tuple[str, int | None], Any] = {(k, None): v for k, v in trajectory.parameters.items()}
    carried = [state.name for state in one.carried]
    back = -one.direction
    for name in carried:
        env[name, back] = trajectory.initial[name]
    for t in order(one.direction, len(steps)):
        step = steps[t]
        for name, value in trajectory.inputs[t].items():
            env[name, 0] = value
        for name, value in step.items():
            env[name, 0] = value
        for (name, _), value in run(arithmetic, env, trajectory.indices[t]).items():
            step[name] = value
        for name in carried:
            env[name, back] = step[name]
