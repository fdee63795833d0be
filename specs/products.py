"""Decide by shapes what a row of factors means: a product with a matrix, one entry by entry, or a scaling."""

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
    """One factor of a row.

    Attributes:
        sign: the sign printed before it, "" for none.
        node: the factor.
    """

    sign: str
    node: Node

    @property
    def rank(self) -> int:
        """The number of axes: 0 for a scalar, 1 for a vector, 2 for a matrix."""
        return len(self.node.shape)


@dataclass(frozen=True, slots=True)
class ProductSign:
    r"""The meaning that a printed sign such as ``*`` or ``\\cdot`` has between its two operands.

    Attributes:
        sign: the sign as printed, "" for none.
        meaning: ``product`` (with a matrix) or ``entry by entry``.
    """

    sign: str
    meaning: str


def multiply_factors(factors: list[Factor], product_signs: list[ProductSign]) -> Node:
    """Multiply from left to right; ``A B x`` is ``A (B x)``, and scalars scale the product of the rest.

    Args:
        factors: the factors in the order printed, at least one.
        product_signs: the list to which the meaning of each sign is added.

    Returns:
        The product.

    Raises:
        ShapeError: that names both operands and their shapes.
    """
    scalars = [factor.node for factor in factors if factor.rank == 0]
    arrays = [factor for factor in factors if factor.rank > 0]
    result = _chain(arrays, product_signs) if arrays else None
    for scalar in reversed(scalars):
        result = scalar if result is None else Multiply(scalar, result)
    assert result is not None, "a product has factors"
    return result


def _chain(factors: list[Factor], product_signs: list[ProductSign]) -> Node:
    """Multiply vectors and matrices; a matrix in front of a matrix waits for the vector behind them."""
    waiting: list[Factor] = []
    current = factors[0]
    for following in factors[1:]:
        if current.rank == 2 and following.rank == 2:
            waiting.append(current)
            current = following
            continue
        current = Factor(current.sign, _pair(following.sign, current.node, following.node, product_signs))
        while waiting and current.rank == 1:
            matrix = waiting.pop()
            current = Factor(matrix.sign, _pair(current.sign, matrix.node, current.node, product_signs))
    if waiting:
        raise _refuse(waiting[-1].node, current.node)
    return current.node


def _pair(sign: str, first: Node, second: Node, product_signs: list[ProductSign]) -> Node:
    """Multiply two operands, as their shapes decide. Raises ShapeError."""
    ranks = (len(first.shape), len(second.shape))
    if ranks in ((2, 1), (1, 2)) and _is_fixed(first) and _is_fixed(second):
        # Without a batch axis on either side; the derivative for both would be an outer product of nothing.
        raise ShapeError(
            f"product: {describe(first)} and {describe(second)} are parameters both; declare their product"
        )
    if ranks == (2, 1):
        product_signs.append(ProductSign(sign, "product"))
        return MatrixVector(first, second)
    if ranks == (1, 2):
        product_signs.append(ProductSign(sign, "product"))
        return VectorMatrix(first, second)
    if ranks == (1, 1) and sign:
        product_signs.append(ProductSign(sign, "entry by entry"))
        return Multiply(first, second)
    raise _refuse(first, second)


def _is_fixed(node: Node) -> bool:
    """Decide whether a node is the same in every row of a batch."""
    return all(variable.role is Role.PARAMETER for variable in variables(node))


def _refuse(first: Node, second: Node) -> ShapeError:
    """Return an error that names both operands and their shapes."""
    return ShapeError(
        f"product: {describe(first)} has shape {show_shape(first.shape)}, "
        f"{describe(second)} has shape {show_shape(second.shape)}"
    )
