"""Run the derived backward over a trajectory, in any arithmetic."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rnn_harness.arithmetic.compile.generate import Key, Target, compiled
from rnn_harness.arithmetic.evaluate import environment, walk_order
from rnn_harness.arithmetic.protocol import Arithmetic, OpenT, StoredT, Trajectory
from rnn_harness.array_types import Array
from rnn_harness.derivatives.backward import Backward, BackwardPass

KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass(frozen=True)
class Cotangents(Generic[StoredT]):
    """Gradients of sum(output * d_output) + sum(final * d_final).

    Attributes:
        inputs: By name, a list over the T steps of (B, n).
        states: By name, the gradient for the initial state, (B, d).
        parameters: By name, in the parameter's shape.
    """

    inputs: Mapping[str, Sequence[StoredT]]
    states: Mapping[str, StoredT]
    parameters: Mapping[str, StoredT]


def _targets(pass_: BackwardPass) -> tuple[Target, ...]:
    """List what one step of a backward pass computes; what is added up over time stays open."""
    statements = (*pass_.named, *pass_.statements)
    targets = [Target((s.target.name, s.target.time), s.expression) for s in statements]
    targets += [Target(("carried", i), node, stored=False) for i, (_, node) in enumerate(pass_.carried)]
    targets += [Target(("into", i), node, stored=False) for i, (_, node) in enumerate(pass_.into)]
    for i, (_, nodes) in enumerate(pass_.parameters):
        targets += [Target((f"parameter{i}", j), node, stored=False) for j, node in enumerate(nodes)]
    return tuple(targets)


class _Sums(Generic[KeyT, StoredT, OpenT]):
    """Sums of cotangents by key: open ones, since a kernel may add their terms in any order."""

    def __init__(self, arithmetic: Arithmetic[StoredT, OpenT]) -> None:
        self.arithmetic = arithmetic
        self.by_key: dict[KeyT, StoredT | OpenT] = {}

    def add(self, key: KeyT, value: StoredT | OpenT) -> None:
        self.by_key[key] = self.arithmetic.add(self.by_key[key], value) if key in self.by_key else value


def differentiate(
    backward: Backward,
    trajectory: Trajectory[StoredT],
    d_outputs: Mapping[str, Array],
    d_finals: Mapping[str, Array],
    arithmetic: Arithmetic[StoredT, OpenT],
) -> Cotangents[StoredT]:
    """Compute the gradients of a trajectory.

    Args:
        backward: The derived backward of the program that gave the trajectory.
        trajectory: The forward values, T steps of B rows.
        d_outputs: Cotangents by output name, (T, B, k).
        d_finals: Cotangents by state name, (B, d).
        arithmetic: The arithmetic of the trajectory.

    Returns:
        The gradients for inputs, initial states and parameters.
    """
    return differentiate_parts(backward, [BatchPart(trajectory, d_outputs, d_finals)], arithmetic)[0]


@dataclass(frozen=True)
class BatchPart(Generic[StoredT]):
    """Some rows of a batch, which all have the same number of steps.

    Attributes:
        trajectory: Their forward values.
        d_outputs: Cotangents by output name, (T, B, k), of these rows and steps.
        d_finals: Cotangents by state name, (B, d), of these rows.
    """

    trajectory: Trajectory[StoredT]
    d_outputs: Mapping[str, Array]
    d_finals: Mapping[str, Array]


def differentiate_parts(
    backward: Backward, parts: Sequence[BatchPart[StoredT]], arithmetic: Arithmetic[StoredT, OpenT]
) -> list[Cotangents[StoredT]]:
    """Compute the gradients of a batch whose rows have several lengths.

    Args:
        backward: The derived backward of the program that gave the trajectories.
        parts: The rows of each length.
        arithmetic: The arithmetic of the trajectories.

    Returns:
        For each part the gradients for its inputs and initial states; those for the parameters are the same in all,
        sums over all rows, whose terms an implementation may add in any order.
    """
    with arithmetic.scope():
        parameters = _ParameterSums(_Sums[str, StoredT, OpenT](arithmetic), set())
        walks = []
        for part in parts:
            walk = _Walk(part.trajectory, arithmetic, parameters)
            for name, values in part.d_outputs.items():
                for t in range(len(part.trajectory.steps)):
                    walk.seeds.add((name, t), arithmetic.array(values[t]))
            for pass_ in backward.passes:
                walk.run_pass(pass_, part.d_finals)
            walks.append(walk)
        stored = parameters.stored()
        return [walk.cotangents(stored) for walk in walks]


@dataclass(frozen=True)
class _ParameterSums(Generic[StoredT, OpenT]):
    """The gradients for parameters, summed over steps and rows.

    Attributes:
        sums: By the parameter's name.
        scalars: Names of those without a shape.
    """

    sums: _Sums[str, StoredT, OpenT]
    scalars: set[str]

    def stored(self) -> dict[str, StoredT]:
        """Store the sums."""
        arithmetic = self.sums.arithmetic
        stored = {name: arithmetic.settle(value) for name, value in self.sums.by_key.items()}
        return stored | {name: arithmetic.only_entry(stored[name]) for name in self.scalars}


class _Walk(Generic[StoredT, OpenT]):
    """The backward walk over a trajectory, with the sums of cotangents collected so far."""

    def __init__(
        self,
        trajectory: Trajectory[StoredT],
        arithmetic: Arithmetic[StoredT, OpenT],
        parameters: _ParameterSums[StoredT, OpenT],
    ) -> None:
        self.trajectory, self.arithmetic, self.parameters = trajectory, arithmetic, parameters
        self.seeds = _Sums[tuple[str, int], StoredT, OpenT](arithmetic)
        self.inputs = _Sums[tuple[str, int], StoredT, OpenT](arithmetic)
        self.states: dict[str, StoredT] = {}

    def run_pass(self, pass_: BackwardPass, d_finals: Mapping[str, Array]) -> None:
        """Walk one pass against its direction, from the final states' cotangents to the initial ones'."""
        trajectory, arithmetic = self.trajectory, self.arithmetic
        carry: dict[str, StoredT | OpenT] = {
            state.name: arithmetic.array(d_finals[state.name]) for state in pass_.forward.carried
        }
        step = compiled(pass_, lambda: _targets(pass_), trajectory.sizes)
        input_names = set(trajectory.inputs[0]) if trajectory.inputs else set()
        for t in reversed(walk_order(pass_.forward.direction, len(trajectory.steps))):
            env: dict[Key, StoredT | OpenT] = {}
            known: dict[Key, StoredT] = environment(trajectory, t, pass_.forward)
            env.update(known)
            env.update((("seed_" + name, 0), self.seeds.by_key[name, t]) for name in pass_.seeded)
            env.update((("carry_" + name, 0), value) for name, value in carry.items())
            computed = step(arithmetic, env, trajectory.indices[t])
            for i, (state, _) in enumerate(pass_.carried):
                carry[state.name] = computed["carried", i]
            for i, (variable, _) in enumerate(pass_.into):
                sums = self.inputs if variable.name in input_names else self.seeds
                sums.add((variable.name, t), computed["into", i])
            self.parameters.scalars.update(p.name for p, _ in pass_.parameters if not p.shape)
            for i, (parameter, nodes) in enumerate(pass_.parameters):
                for j, node in enumerate(nodes):
                    value = computed[f"parameter{i}", j]
                    is_matrix = len(node.shape) == 2
                    self.parameters.sums.add(parameter.name, value if is_matrix else arithmetic.batch_sum(value))
        self.states.update((name, arithmetic.settle(value)) for name, value in carry.items())

    def cotangents(self, parameters: Mapping[str, StoredT]) -> Cotangents[StoredT]:
        """Store the sums for the inputs, beside the stored gradients for the parameters."""
        settle, steps = self.arithmetic.settle, len(self.trajectory.steps)
        reached = sorted({name for name, _ in self.inputs.by_key})
        inputs = {name: [settle(self.inputs.by_key[name, t]) for t in range(steps)] for name in reached}
        return Cotangents(inputs, self.states, parameters)
