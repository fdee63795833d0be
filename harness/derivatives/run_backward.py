"""Run the derived backward over a trajectory, in any arithmetic.

Dimension legend: T time steps, B batch rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_harness.arithmetic.compile.generate import Targets, compiled
from rnn_harness.arithmetic.evaluate import environment, order
from rnn_harness.arithmetic.protocol import Arithmetic, Trajectory
from rnn_harness.array_types import Array
from rnn_harness.derivatives.backward import Backward, BackwardPass


@dataclass(frozen=True)
class Cotangents:
    """Gradients of sum(output * d_output) + sum(final * d_final).

    `inputs` and `states` by name: a list over time of (B, .), and (B, .); `parameters` by name.
    """

    inputs: Mapping[str, Sequence[Any]]
    states: Mapping[str, Any]
    parameters: Mapping[str, Any]


def _targets(one: BackwardPass) -> Targets:
    rows = [((s.target.name, s.target.time), s.expression, True) for s in (*one.named, *one.statements)]
    rows += [(("carried", i), node, False) for i, (_, node) in enumerate(one.carried)]
    rows += [(("into", i), node, False) for i, (_, node) in enumerate(one.into)]
    for i, (_, nodes) in enumerate(one.parameters):
        rows += [((f"parameter{i}", j), node, False) for j, node in enumerate(nodes)]
    return tuple(rows)


class _Sums:
    """Sums of cotangents, by name and step: open ones, since a kernel may add their terms in any order."""

    def __init__(self, arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self.found: dict[Any, Any] = {}

    def add(self, where: Any, value: Any) -> None:
        self.found[where] = self.arithmetic.add(self.found[where], value) if where in self.found else value


def differentiate(
    backward: Backward,
    trajectory: Trajectory,
    d_outputs: Mapping[str, Array],
    d_finals: Mapping[str, Array],
    arithmetic: Arithmetic,
) -> Cotangents:
    """The gradients. `d_outputs` by output name, (T, B, .); `d_finals` by state name, (B, .)."""
    with arithmetic.scope():
        return _differentiate(backward, trajectory, d_outputs, d_finals, arithmetic)


def _differentiate(
    backward: Backward,
    trajectory: Trajectory,
    d_outputs: Mapping[str, Array],
    d_finals: Mapping[str, Array],
    arithmetic: Arithmetic,
) -> Cotangents:
    steps = len(trajectory.steps)
    seeds, inputs, parameters = _Sums(arithmetic), _Sums(arithmetic), _Sums(arithmetic)
    states: dict[str, Any] = {}
    for name, values in d_outputs.items():
        for t in range(steps):
            seeds.add((name, t), arithmetic.array(values[t]))
    for one in backward.passes:
        carry = {s.name: arithmetic.array(d_finals[s.name]) for s in one.forward.carried}
        _run(one, trajectory, carry, seeds, inputs, parameters, arithmetic)
        states.update((name, arithmetic.settle(value)) for name, value in carry.items())
    reached = {name for name, _ in inputs.found}
    return Cotangents(
        {name: [arithmetic.settle(inputs.found[name, t]) for t in range(steps)] for name in sorted(reached)},
        states,
        {name: arithmetic.settle(value) for name, value in parameters.found.items()},
    )


def _run(
    one: BackwardPass,
    trajectory: Trajectory,
    carry: dict[str, Any],
    seeds: _Sums,
    inputs: _Sums,
    parameters: _Sums,
    arithmetic: Arithmetic,
) -> None:
    """Walk one pass against its direction; `carry` holds the final states' cotangents, then the initial ones'."""
    run = compiled(one, lambda: _targets(one), trajectory.sizes)
    own_inputs = set(trajectory.inputs[0]) if trajectory.inputs else set()
    for t in reversed(order(one.forward.direction, len(trajectory.steps))):
        env = environment(trajectory, t, one.forward)
        env.update((("seed_" + name, 0), seeds.found[name, t]) for name in one.seeded)
        env.update((("carry_" + name, 0), value) for name, value in carry.items())
        done = run(arithmetic, env, trajectory.indices[t])
        for i, (state, _) in enumerate(one.carried):
            carry[state.name] = done["carried", i]
        for i, (variable, _) in enumerate(one.into):
            target = inputs if variable.name in own_inputs else seeds
            target.add((variable.name, t), done["into", i])
        for i, (parameter, nodes) in enumerate(one.parameters):
            for j, node in enumerate(nodes):
                value = done[f"parameter{i}", j]
                parameters.add(parameter.name, value if len(node.shape) == 2 else arithmetic.batch_sum(value))
