"""Run a program without compiling it: a search tries hundreds of rewritten programs a few times each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

from rnn_harness.arithmetic.protocol import Arithmetic, OpenT, StoredT
from rnn_harness.specs.expression import (
    Add,
    Apply,
    Concatenate,
    Constant,
    Divide,
    MatrixVector,
    Multiply,
    Node,
    Subtract,
    Transpose,
    Variable,
    VectorMatrix,
)
from rnn_harness.specs.program import Program

Place = tuple[int, tuple[int, ...]]
"""Where a node stands: the number of its assignment in the program, and the numbers of the children down to it."""


@dataclass(frozen=True)
class ProgramValues(Generic[StoredT]):
    """What a program computes over a sequence.

    Attributes:
        steps: The values of all symbols by name, one table a step.
        finals: The last value of every state, by name.
    """

    steps: Sequence[Mapping[str, StoredT]]
    finals: Mapping[str, StoredT]


class Interpreter(Generic[StoredT, OpenT]):
    """Evaluates programs whose states are carried forward, node by node.

    Attributes:
        arithmetic: What numbers are.
        cut: Applied to the value of the node at each of `cut_places`; a gradient stops there.
        cut_places: Where the gradient stops.
    """

    def __init__(
        self,
        arithmetic: Arithmetic[StoredT, OpenT],
        cut: Callable[[StoredT | OpenT], StoredT | OpenT] | None = None,
        cut_places: frozenset[Place] = frozenset(),
    ) -> None:
        self.arithmetic, self.cut, self.cut_places = arithmetic, cut, cut_places

    def run(
        self,
        program: Program,
        parameters: Mapping[str, StoredT],
        inputs: Sequence[Mapping[str, StoredT]],
        states: Mapping[str, StoredT],
    ) -> ProgramValues[StoredT]:
        """Compute every symbol at every step.

        Args:
            program: A program whose passes run forward in time.
            parameters: By name, in the shapes of the spec.
            inputs: One table a step, each value (B, n).
            states: The initial states by name, (B, d).
        """
        before = dict(states)
        steps: list[Mapping[str, StoredT]] = []
        for given in inputs:
            env: dict[tuple[str, int | None], StoredT | OpenT] = {(name, None): v for name, v in parameters.items()}
            env.update(((name, 0), value) for name, value in given.items())
            env.update(((name, -1), value) for name, value in before.items())
            computed: dict[str, StoredT] = {}
            for number, assignment in enumerate(program.assignments):
                value = self.arithmetic.settle(self._value(assignment.expression, env, (number, ())))
                env[assignment.target.name, 0] = computed[assignment.target.name] = value
            before = {name: computed[name] for name in before}
            steps.append(computed)
        return ProgramValues(steps, before)

    def _value(
        self, node: Node, env: Mapping[tuple[str, int | None], StoredT | OpenT], place: Place
    ) -> StoredT | OpenT:
        """Evaluate one node. Raises KeyError if it reads what is not computed yet."""
        value = self._operation(node, env, place)
        if self.cut is not None and place in self.cut_places:
            return self.cut(value)
        return value

    def _operation(
        self, node: Node, env: Mapping[tuple[str, int | None], StoredT | OpenT], place: Place
    ) -> StoredT | OpenT:
        number, path = place
        arithmetic = self.arithmetic
        if isinstance(node, Variable):
            return env[node.name, node.time]
        if isinstance(node, Constant):
            return arithmetic.number(node.value)
        operands = [self._value(child, env, (number, (*path, i))) for i, child in enumerate(node.children)]
        match node:
            case Add():
                return arithmetic.add(*operands)
            case Subtract():
                return arithmetic.subtract(*operands)
            case Multiply():
                return arithmetic.multiply(*operands)
            case Divide():
                return arithmetic.divide(*operands)
            case MatrixVector():
                return arithmetic.matrix_vector(arithmetic.settle(operands[0]), operands[1])
            case VectorMatrix():
                return arithmetic.vector_matrix(operands[0], arithmetic.settle(operands[1]))
            case Transpose():
                return arithmetic.transpose(arithmetic.settle(operands[0]))
            case Concatenate():
                return arithmetic.concatenate(*operands)
            case Apply():
                return arithmetic.apply(node.function, operands[0])
            case _:
                raise ValueError(f"a {type(node).__name__} stands in no step")


def is_forward_step(program: Program) -> bool:
    """Say whether a program is one step of a cell, whose states are carried forward, from one input.

    Args:
        program: The program of a spec, which is not run.
    """
    return len(program.inputs) == 1 and bool(program.states) and all(part.direction >= 0 for part in program.passes)
