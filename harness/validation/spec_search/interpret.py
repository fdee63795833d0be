"""Run a program without compiling it: a search tries hundreds of rewritten programs a few times each."""

from __future__ import annotations

import functools
import operator
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
    Dot,
    MatrixVector,
    Multiply,
    Node,
    Subtract,
    Transpose,
    Variable,
    VectorMatrix,
)
from rnn_harness.specs.program import Program

Symbol = tuple[str, int | None]
"""A name with its time, relative to the step; without a time for a parameter."""
Evaluate = Callable[[Mapping[Symbol, StoredT | OpenT]], StoredT | OpenT]
"""Gives the value of a node from the values of all symbols."""
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
        self._known: dict[int, tuple[Program, list[tuple[str, Evaluate[StoredT, OpenT]]]]] = {}

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
        before, settle, assignments = dict(states), self.arithmetic.settle, self._steps_of(program)
        steps: list[Mapping[str, StoredT]] = []
        for given in inputs:
            env: dict[Symbol, StoredT | OpenT] = {(name, None): v for name, v in parameters.items()}
            env.update(((name, 0), value) for name, value in given.items())
            env.update(((name, -1), value) for name, value in before.items())
            computed: dict[str, StoredT] = {}
            for name, evaluate in assignments:
                env[name, 0] = computed[name] = settle(evaluate(env))
            before = {name: computed[name] for name in before}
            steps.append(computed)
        return ProgramValues(steps, before)

    def _steps_of(self, program: Program) -> list[tuple[str, Evaluate[StoredT, OpenT]]]:
        """Return what evaluates each assignment of a program, with the name of its target; remembered."""
        known, steps = self._known.get(id(program), (None, []))
        if known is not program:
            steps = [
                (assignment.target.name, self._evaluation(assignment.expression, (number, ())))
                for number, assignment in enumerate(program.assignments)
            ]
            self._known[id(program)] = program, steps
        return steps

    def _evaluation(self, node: Node, place: Place) -> Evaluate[StoredT, OpenT]:
        """Return what evaluates a node; it raises KeyError if the node reads what is not computed yet."""
        evaluate = self._operation(node, place)
        if self.cut is None or place not in self.cut_places:
            return evaluate
        cut = self.cut
        return lambda env: cut(evaluate(env))

    def _operation(self, node: Node, place: Place) -> Evaluate[StoredT, OpenT]:
        """Return what evaluates a node without regard to where a gradient stops."""
        if isinstance(node, Variable):
            return operator.itemgetter((node.name, node.time))
        if isinstance(node, Constant):
            number = self.arithmetic.number(node.value)
            return lambda _: number
        position, path = place
        operands = [self._evaluation(child, (position, (*path, i))) for i, child in enumerate(node.children)]
        combine = self._combination(node)
        if len(operands) == 2:
            first, second = operands
            return lambda env: combine(first(env), second(env))
        return lambda env: combine(*[operand(env) for operand in operands])

    def _combination(self, node: Node) -> Callable[..., StoredT | OpenT]:
        """Return what computes a node from the values of its children."""
        arithmetic = self.arithmetic
        settle = arithmetic.settle
        match node:
            case Add():
                return arithmetic.add
            case Subtract():
                return arithmetic.subtract
            case Multiply():
                return arithmetic.multiply
            case Divide():
                return arithmetic.divide
            case MatrixVector():
                return lambda matrix, vector: arithmetic.matrix_vector(settle(matrix), vector)
            case VectorMatrix():
                return lambda vector, matrix: arithmetic.vector_matrix(vector, settle(matrix))
            case Transpose():
                return lambda matrix: arithmetic.transpose(settle(matrix))
            case Concatenate():
                return arithmetic.concatenate
            case Dot():
                return arithmetic.dot
            case Apply():
                return functools.partial(arithmetic.apply, node.function)
            case _:
                raise ValueError(f"a {type(node).__name__} stands in no step")


def is_forward_step(program: Program) -> bool:
    """Say whether a program is one step of a cell, whose states are carried forward, from one input.

    Args:
        program: The program of a spec, which is not run.
    """
    return len(program.inputs) == 1 and bool(program.states) and all(part.direction >= 0 for part in program.passes)
