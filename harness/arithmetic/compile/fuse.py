"""The affine parts of a pass, taken together: what a fast NumPy evaluation computes once instead of gate by gate.

Every sum of products with inputs, products with the carried state and biases becomes a block of columns of one array:
the inputs' part of all blocks and all steps is one product before the walk; at each step one product per carried state
is added; and blocks under the same function are put side by side, so that the function is applied once. Only the order
of the sums changes, which the rounding bound allows. Below, W is the number of columns of all blocks together.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
    """``operand @ K``, where K is a parameter, or its transpose.

    Attributes:
        parameter: The parameter's name.
        transposed: Whether K is the parameter's transpose.
        operand: What is multiplied, (B, m).
    """

    parameter: str
    transposed: bool
    operand: Variable


@dataclass(frozen=True)
class Block:
    """One affine sum.

    Attributes:
        target: Stands for the sum, or for `function` of it, in the expressions of the walk.
        function: Applied to the sum entry by entry; None for the sum itself.
        early: Products that do not wait for a carried state.
        recurrent: Products with carried states.
        biases: Names of the parameters that are added.
    """

    target: Variable
    function: Function | None
    early: tuple[Product, ...]
    recurrent: tuple[Product, ...]
    biases: tuple[str, ...]

    @property
    def order(self) -> tuple[int, tuple[str, ...], str]:
        """The sorting key: blocks that read the same states stand together, in them those of the same function."""
        states = tuple(sorted({product.operand.name for product in self.recurrent}))
        return (-len(states), states, self.function.value if self.function else "")


@dataclass(frozen=True)
class Plan:
    """A pass taken apart.

    Attributes:
        blocks: The affine sums of `walk`.
        walk: The assignments the carried states wait for, without the affine sums.
        after: The assignments that no later step needs.
    """

    blocks: tuple[Block, ...]
    walk: tuple[Assignment, ...]
    after: tuple[Assignment, ...]


def _terms(node: Node) -> Iterator[Node]:
    """Yield the summands of a sum."""
    if isinstance(node, Add):
        yield from _terms(node.left)
        yield from _terms(node.right)
    else:
        yield node


class _Planner:
    """Rewrites the expressions of a pass, collecting its affine sums in `blocks`."""

    def __init__(self, pass_: Pass) -> None:
        self.before = -pass_.direction
        self.carried = {state.name for state in pass_.carried}
        self.computed = {assignment.target.name for assignment in pass_.assignments} | self.carried
        self.blocks: list[Block] = []

    def _product(self, node: Node) -> Product | None:
        """Return the node as a product with a parameter; None if it is anything else."""
        if not isinstance(node, MatrixVector | VectorMatrix) or not isinstance(node.vector, Variable):
            return None
        matrix = node.matrix.matrix if isinstance(node.matrix, Transpose) else node.matrix
        if not isinstance(matrix, Variable) or matrix.role is not Role.PARAMETER or node.vector.role is Role.PARAMETER:
            return None
        transposed = isinstance(node.matrix, Transpose) != isinstance(node, MatrixVector)
        return Product(matrix.name, transposed, node.vector)

    def _is_early(self, product: Product) -> bool:
        return product.operand.time == 0 and product.operand.name not in self.computed

    def _is_recurrent(self, product: Product) -> bool:
        operand = product.operand
        return bool(self.before) and operand.time == self.before and operand.name in self.carried

    def take_sum(self, sum_: Node, function: Function | None) -> Node | None:
        """Make a block of a sum.

        Args:
            sum_: The sum.
            function: What is applied to it, if anything.

        Returns:
            What stands for the sum (or for `function` of it); None if nothing would be gained.
        """
        early: list[Product] = []
        recurrent: list[Product] = []
        biases: list[str] = []
        remaining: list[Node] = []
        for term in _terms(sum_):
            product = self._product(term)
            if product and self._is_early(product):
                early.append(product)
            elif product and self._is_recurrent(product):
                recurrent.append(product)
            elif isinstance(term, Variable) and term.role is Role.PARAMETER and len(term.shape) == 1:
                biases.append(term.name)
            else:
                remaining.append(term)
        if (not early and not recurrent) or (remaining and function):
            return None
        target = Variable(f"block#{len(self.blocks)}", sum_.shape, 0, Role.INTERMEDIATE)
        self.blocks.append(Block(target, function, tuple(early), tuple(recurrent), tuple(biases)))
        replacement: Node = target
        for term in remaining:
            replacement = Add(replacement, self(term))
        return replacement

    def __call__(self, node: Node) -> Node:
        replacement = None
        if isinstance(node, Apply) and node.function in _ENTRYWISE:
            replacement = self.take_sum(node.argument, node.function)
        elif isinstance(node, Add | MatrixVector | VectorMatrix):
            replacement = self.take_sum(node, None)
        return replace_children(node, self) if replacement is None else replacement


def _needed_by_later_steps(pass_: Pass) -> set[str]:
    """Return the targets that the carried states of the next step depend on."""
    needed = {state.name for state in pass_.carried}
    for assignment in reversed(pass_.assignments):
        if assignment.target.name in needed:
            needed |= {v.name for v in variables(assignment.expression) if v.time == 0}
    return needed


_PLANS: dict[int, tuple[Pass, Plan]] = {}


def plan(pass_: Pass) -> Plan:
    """Take a pass apart; the same pass gives the same plan object.

    Args:
        pass_: The pass; it is recognised by identity.
    """
    entry = _PLANS.get(id(pass_))
    if entry is None or entry[0] is not pass_:
        planner = _Planner(pass_)
        needed = _needed_by_later_steps(pass_)
        walk = tuple(
            Assignment(a.target, planner(a.expression), a.equation)
            for a in pass_.assignments
            if a.target.name in needed
        )
        after = tuple(a for a in pass_.assignments if a.target.name not in needed)
        entry = (pass_, Plan(tuple(sorted(planner.blocks, key=lambda block: block.order)), walk, after))
        _PLANS[id(pass_)] = entry
    return entry[1]


@dataclass(frozen=True)
class RecurrentProduct:
    """The product of one carried state with all matrices it meets.

    Attributes:
        state: The state's name, a value of shape (B, d).
        start: The first column of the blocks that read it.
        stop: The column after the last.
        matrix: (d, stop - start).
    """

    state: str
    start: int
    stop: int
    matrix: Array


@dataclass(frozen=True)
class Member:
    """A block of a run of neighbouring blocks.

    Attributes:
        name: The name of the block's target.
        start: Its first column within the run.
        stop: The column after its last one within the run.
    """

    name: str
    start: int
    stop: int


@dataclass(frozen=True)
class FunctionRun:
    """Neighbouring blocks under one function.

    Attributes:
        function: Applied once to all of them; None for bare sums.
        start: The first column.
        stop: The column after the last.
        members: The blocks.
    """

    function: Function | None
    start: int
    stop: int
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Columns:
    """A plan with numbers in it.

    Attributes:
        early: Everything that does not wait for the state, (T, B, W).
        recurrent: One product a carried state.
        runs: The blocks by function.
    """

    early: Array
    recurrent: tuple[RecurrentProduct, ...]
    runs: tuple[FunctionRun, ...]


def columns(pass_plan: Plan, trajectory: Trajectory[Array]) -> Columns:
    """Fill a plan with a trajectory's parameters and inputs.

    Args:
        pass_plan: The plan; it has at least one block.
        trajectory: At least one step of B rows.

    Returns:
        The sums' early parts for all steps, and the matrices of the carried states.
    """
    parameters = trajectory.parameters
    blocks = pass_plan.blocks
    ends = np.cumsum([0, *(block.target.shape[0].size(trajectory.sizes) for block in blocks)])
    places = [(int(start), int(stop)) for start, stop in itertools.pairwise(ends)]
    operands: dict[str, None] = {}
    states: dict[str, list[int]] = {}
    for index, block in enumerate(blocks):
        operands.update((product.operand.name, None) for product in block.early)
        for product in block.recurrent:
            states.setdefault(product.operand.name, []).append(index)
    steps, batch = len(trajectory.steps), len(next(iter(trajectory.inputs[0].values())))
    early = np.zeros((steps, batch, int(ends[-1])), np.result_type(*parameters.values()))
    for name in operands:
        source = trajectory.inputs if name in trajectory.inputs[0] else trajectory.steps
        x = np.array([step[name] for step in source])
        matrix = _joint_matrix(name, [block.early for block in blocks], places, parameters)
        early += (x.reshape(steps * batch, x.shape[2]) @ matrix).reshape(early.shape)
    for (start, stop), block in zip(places, blocks, strict=True):
        for bias in block.biases:
            early[:, :, start:stop] += parameters[bias]
    recurrent = []
    for name, readers in states.items():
        start, stop = places[readers[0]][0], places[readers[-1]][1]
        matrix = _joint_matrix(name, [block.recurrent for block in blocks], places, parameters)
        recurrent.append(RecurrentProduct(name, start, stop, matrix[:, start:stop]))
    return Columns(early, tuple(recurrent), _runs(blocks, places))


def _joint_matrix(
    operand: str,
    products: Sequence[tuple[Product, ...]],
    places: list[tuple[int, int]],
    parameters: Mapping[str, Array],
) -> Array:
    """Return everything an operand is multiplied by, (its size, W); zero in the blocks that do not read it."""
    pieces: list[tuple[int, int, Array]] = []
    for (start, stop), block_products in zip(places, products, strict=True):
        for product in block_products:
            if product.operand.name == operand:
                matrix = parameters[product.parameter]
                pieces.append((start, stop, matrix.T if product.transposed else matrix))
    joint = np.zeros((len(pieces[0][2]), places[-1][1]), pieces[0][2].dtype)
    for start, stop, piece in pieces:
        joint[:, start:stop] += piece
    return joint


def _runs(blocks: tuple[Block, ...], places: list[tuple[int, int]]) -> tuple[FunctionRun, ...]:
    """Join neighbouring blocks of the same function."""
    runs: list[FunctionRun] = []
    for (start, stop), block in zip(places, blocks, strict=True):
        if runs and runs[-1].function is block.function:
            before = runs.pop()
            member = Member(block.target.name, start - before.start, stop - before.start)
            runs.append(FunctionRun(before.function, before.start, stop, (*before.members, member)))
        else:
            runs.append(FunctionRun(block.function, start, stop, (Member(block.target.name, 0, stop - start),)))
    return tuple(runs)
