"""What a row of factors means: shapes decide between the product with a matrix, entry by entry, and scaling."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_harness.specs.dimensions import show_shape
from rnn_harness.specs.expression import (
    MatrixVector,
    Multiply,
    Node,
    Role,
    ShapeError,
    VectorMatrix,
    describe,
    variables,
)


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor and the sign printed before it ("" for none)."""

    sign: str
    node: Node

    @property
    def rank(self) -> int:
        return len(self.node.shape)


def multiply(factors: list[Factor], stars: list[tuple[str, str]]) -> Node:
    """The product, from left to right; ``A B x`` is ``A (B x)``, and scalars scale what comes out.

    `stars` collects what each sign turned out to mean. Raises ShapeError that names both operands and their shapes.
    """
    scalars = [one.node for one in factors if one.rank == 0]
    others = [one for one in factors if one.rank > 0]
    result = _chain(others, stars) if others else None
    for scalar in reversed(scalars):
        result = scalar if result is None else Multiply(scalar, result)
    assert result is not None, "a product has factors"
    return result


def _chain(factors: list[Factor], stars: list[tuple[str, str]]) -> Node:
    waiting: list[Factor] = []
    current = factors[0]
    for following in factors[1:]:
        if current.rank == 2 and following.rank == 2:
            waiting.append(current)
            current = following
            continue
        current = Factor(current.sign, _pair(following.sign, current.node, following.node, stars))
        while waiting and current.rank == 1:
            matrix = waiting.pop()
            current = Factor(matrix.sign, _pair(current.sign, matrix.node, current.node, stars))
    if waiting:
        raise _refuse(waiting[-1].node, current.node)
    return current.node


def _pair(sign: str, left: Node, right: Node, stars: list[tuple[str, str]]) -> Node:
    ranks = (len(left.shape), len(right.shape))
    if ranks in ((2, 1), (1, 2)) and _fixed(left) and _fixed(right):
        # Without a batch axis on either side; the derivative for both would be an outer product of nothing.
        raise ShapeError(f"product: {describe(left)} and {describe(right)} are parameters both; declare their product")
    if ranks == (2, 1):
        stars.append((sign, "product"))
        return MatrixVector(left, right)
    if ranks == (1, 2):
        stars.append((sign, "product"))
        return VectorMatrix(left, right)
    if ranks == (1, 1) and sign:
        stars.append((sign, "entry by entry"))
        return Multiply(left, right)
    raise _refuse(left, right)


def _fixed(node: Node) -> bool:
    return all(variable.role is Role.PARAMETER for variable in variables(node))


def _refuse(left: Node, right: Node) -> ShapeError:
    return ShapeError(
        f"product: {describe(left)} has shape {show_shape(left.shape)}, "
        f"{describe(right)} has shape {show_shape(right.shape)}"
    )
