"""The affine parts of a pass, taken together: what a fast NumPy evaluation computes once instead of gate by gate.

Every sum of products with inputs, products with the carried state and biases becomes a block of columns of one array:
the inputs' part of all blocks and all steps is one product before the walk; at each step one product per carried state
is added; and blocks under the same function are put side by side, so that the function is applied once. Only the order
of the sums changes, which the rounding bound allows.

Dimension legend: T time steps, B batch rows, W columns of all blocks together.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.arithmetic.protocol import Trajectory
from rnn_harness.array_types import Array
from rnn_harness.specs.expression import (
    Add,
    Apply,
    Function,
    MatrixVector,
    Node,
    Role,
    Transpose,
    Variable,
    VectorMatrix,
    variables,
)
from rnn_harness.specs.program import Assignment, Pass
from rnn_harness.specs.rewrite import replace_children

_ENTRYWISE = (Function.SIGMOID, Function.TANH, Function.RELU)


@dataclass(frozen=True)
class Product:
    """``operand @ K``, where K is a parameter, or its transpose."""

    parameter: str
    transposed: bool
    operand: Variable


@dataclass(frozen=True)
class Block:
    """One affine sum. `target` stands for it, or for `function` of it, in what is left of the expressions."""

    target: Variable
    function: Function | None
    early: tuple[Product, ...]
    recurrent: tuple[Product, ...]
    biases: tuple[str, ...]

    @property
    def order(self) -> tuple[Any, ...]:
        """Blocks that read the same states stand together, and in them those of the same function."""
        states = tuple(sorted({product.operand.name for product in self.recurrent}))
        return (-len(states), states, self.function.value if self.function else "")


@dataclass(frozen=True)
class Plan:
    """A pass taken apart: `walk`, the assignments the carried states wait for, without the affine sums in `blocks`;
    and `after`, those that no later step needs.
    """

    blocks: tuple[Block, ...]
    walk: tuple[Assignment, ...]
    after: tuple[Assignment, ...]


def _terms(node: Node) -> Iterator[Node]:
    if isinstance(node, Add):
        yield from _terms(node.left)
        yield from _terms(node.right)
    else:
        yield node


class _Planner:
    def __init__(self, one: Pass) -> None:
        self.back = -one.direction
        self.carried = {state.name for state in one.carried}
        self.own = {assignment.target.name for assignment in one.assignments} | self.carried
        self.blocks: list[Block] = []

    def _product(self, node: Node) -> Product | None:
        if not isinstance(node, MatrixVector | VectorMatrix) or not isinstance(node.vector, Variable):
            return None
        inner = node.matrix.matrix if isinstance(node.matrix, Transpose) else node.matrix
        if not isinstance(inner, Variable) or inner.role is not Role.PARAMETER or node.vector.role is Role.PARAMETER:
            return None
        turned = isinstance(node.matrix, Transpose) != isinstance(node, MatrixVector)
        return Product(inner.name, turned, node.vector)

    def take(self, sum_: Node, function: Function | None) -> Node | None:
        """What stands for `sum_` (or for `function` of it), or None if nothing was gained."""
        early, recurrent, biases, rest = [], [], [], []
        for term in _terms(sum_):
            product = self._product(term)
            if product and product.operand.time == 0 and product.operand.name not in self.own:
                early.append(product)
            elif product and self.back and product.operand.time == self.back and product.operand.name in self.carried:
                recurrent.append(product)
            elif isinstance(term, Variable) and term.role is Role.PARAMETER and len(term.shape) == 1:
                biases.append(term.name)
            else:
                rest.append(term)
        if (not early and not recurrent) or (rest and function):
            return None
        target = Variable(f"block#{len(self.blocks)}", sum_.shape, 0, Role.INTERMEDIATE)
        self.blocks.append(Block(target, function, tuple(early), tuple(recurrent), tuple(biases)))
        whole: Node = target
        for term in rest:
            whole = Add(whole, self(term))
        return whole

    def __call__(self, node: Node) -> Node:
        found = None
        if isinstance(node, Apply) and node.function in _ENTRYWISE:
            found = self.take(node.argument, node.function)
        elif isinstance(node, Add | MatrixVector | VectorMatrix):
            found = self.take(node, None)
        return replace_children(node, self) if found is None else found


def _waited(one: Pass) -> set[str]:
    """The targets that the carried states of the next step depend on."""
    waited = {state.name for state in one.carried}
    for assignment in reversed(one.assignments):
        if assignment.target.name in waited:
            waited |= {v.name for v in variables(assignment.expression) if v.time == 0}
    return waited


_KNOWN: dict[int, tuple[Pass, Plan]] = {}


def plan(one: Pass) -> Plan:
    """The plan of a pass; the same object for the same pass."""
    found = _KNOWN.get(id(one))
    if found is None or found[0] is not one:
        planner = _Planner(one)
        waited = _waited(one)
        walk = tuple(
            Assignment(a.target, planner(a.expression), a.equation) for a in one.assignments if a.target.name in waited
        )
        after = tuple(a for a in one.assignments if a.target.name not in waited)
        found = (one, Plan(tuple(sorted(planner.blocks, key=lambda block: block.order)), walk, after))
        _KNOWN[id(one)] = found
    return found[1]


@dataclass(frozen=True)
class Columns:
    """A plan with numbers in it.

    `early` (T, B, W): everything that does not wait for the state. `recurrent`: (state's name, first and last column,
    matrix). `runs`: (function, first and last column, blocks in them as (name, first and last column of the run)).
    """

    early: Array
    recurrent: list[tuple[str, int, int, Array]]
    runs: list[tuple[Function | None, int, int, list[tuple[str, int, int]]]]


def columns(plan: Plan, trajectory: Trajectory) -> Columns:
    """Fill a plan with a trajectory's parameters and inputs (at least one step)."""
    p = trajectory.parameters
    ends = np.cumsum([0, *(block.target.shape[0].size(trajectory.sizes) for block in plan.blocks)])
    places = [(int(a), int(b)) for a, b in itertools.pairwise(ends)]
    operands: dict[str, None] = {}
    states: dict[str, list[int]] = {}
    for index, block in enumerate(plan.blocks):
        operands.update((product.operand.name, None) for product in block.early)
        for product in block.recurrent:
            states.setdefault(product.operand.name, []).append(index)
    steps, batch = len(trajectory.steps), len(next(iter(trajectory.inputs[0].values())))
    early = np.zeros((steps, batch, int(ends[-1])), np.result_type(*p.values()))
    for name in operands:
        source = trajectory.inputs if name in trajectory.inputs[0] else trajectory.steps
        x = np.array([step[name] for step in source])
        early += (x.reshape(steps * batch, x.shape[2]) @ _matrix(name, plan.blocks, places, p, True)).reshape(
            early.shape
        )
    for (a, b), block in zip(places, plan.blocks, strict=True):
        for bias in block.biases:
            early[:, :, a:b] += p[bias]
    recurrent = []
    for name, found in states.items():
        a, b = places[found[0]][0], places[found[-1]][1]
        recurrent.append((name, a, b, _matrix(name, plan.blocks, places, p, False)[:, a:b]))
    return Columns(early, recurrent, _runs(plan.blocks, places))


def _matrix(
    name: str, blocks: tuple[Block, ...], places: list[tuple[int, int]], parameters: Mapping[str, Array], early: bool
) -> Array:
    """Everything one operand is multiplied by, (its size, W); zero in the blocks that do not read it."""
    pieces: list[tuple[int, int, Array]] = []
    for (a, b), block in zip(places, blocks, strict=True):
        for product in block.early if early else block.recurrent:
            if product.operand.name == name:
                matrix = parameters[product.parameter]
                pieces.append((a, b, matrix.T if product.transposed else matrix))
    whole = np.zeros((len(pieces[0][2]), places[-1][1]), pieces[0][2].dtype)
    for a, b, piece in pieces:
        whole[:, a:b] += piece
    return whole


def _runs(
    blocks: tuple[Block, ...], places: list[tuple[int, int]]
) -> list[tuple[Function | None, int, int, list[tuple[str, int, int]]]]:
    runs: list[tuple[Function | None, int, int, list[tuple[str, int, int]]]] = []
    for (a, b), block in zip(places, blocks, strict=True):
        if runs and runs[-1][0] is block.function:
            function, start, _, members = runs.pop()
            runs.append((function, start, b, [*members, (block.target.name, a - start, b - start)]))
        else:
            runs.append((block.function, a, b, [(block.target.name, 0, b - a)]))
    return runs
