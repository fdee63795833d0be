"""Reverse mode over the expression: what a cotangent of a node gives to the variables under it.

Nothing depends on sizes. The gradient of a parameter is an `Outer` (a matrix) or an expression to be summed over
the batch (a vector); sums over time are the caller's.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from rnn_harness.specs.dimensions import Dimension
from rnn_harness.specs.expression import (
    Add,
    Apply,
    Component,
    Concatenate,
    Constant,
    Divide,
    Dot,
    Function,
    MatrixVector,
    Multiply,
    Node,
    Outer,
    Place,
    Slice,
    Subtract,
    Transpose,
    Variable,
    VectorMatrix,
)

_ZERO, _UNIT = Constant(Fraction(0)), Constant(Fraction(1))
Contributions = dict[Variable, list[Node]]
"""Variables, each with the terms of its cotangent collected so far."""


def negate(node: Node) -> Node:
    """Return ``0 - node``; of a node that is negated already, what it negates.

    Args:
        node: A node of any shape.
    """
    if isinstance(node, Subtract) and node.left == _ZERO:
        return node.right
    return Subtract(_ZERO, node)


def times(first: Node, second: Node) -> Node:
    """Return the product entry by entry, without factors of 1; signs are moved outwards.

    Args:
        first: A factor.
        second: A factor of the same shape, or a scalar.
    """
    if first == _UNIT:
        return second
    if second == _UNIT:
        return first
    if isinstance(first, Subtract) and first.left == _ZERO:
        return negate(times(first.right, second))
    return Multiply(first, second)


def total(parts: list[Node]) -> Node:
    """Return the sum of one or more parts; negated parts are subtracted.

    Args:
        parts: Nodes of equal shape, at least one.
    """
    result = parts[0]
    for part in parts[1:]:
        match part:
            case Subtract() if part.left == _ZERO:
                result = Subtract(result, part.right)
            case _:
                result = Add(result, part)
    return result


def slope(function: Function, value: Node, argument: Node) -> Node:
    """Return the derivative of an entry-by-entry function.

    Args:
        function: An entry-by-entry function; softmax is none.
        value: Its value; the derivative is written with it where that is enough.
        argument: The expression that it is applied to.

    Returns:
        The derivative, an expression of the same shape.

    Raises:
        ValueError: The derivative is no expression of this notation.
    """
    if function in (Function.SIGMOID, Function.SOFTPLUS_SLOPE):
        return Multiply(value, Subtract(_UNIT, value))
    if function is Function.TANH:
        return Subtract(_UNIT, Multiply(value, value))
    if function is Function.LOG:
        return Divide(_UNIT, argument)
    if function is Function.IDENTITY:
        return _UNIT
    if function is Function.RELU:
        return Apply(Function.STEP, argument)
    if function is Function.STEP:
        return _ZERO
    if function is Function.EXP:
        return value
    if function is Function.SOFTPLUS:
        return Apply(Function.SOFTPLUS_SLOPE, argument)
    if function is Function.SQRT:
        return Divide(Constant(Fraction(1, 2)), value)
    raise ValueError(f"the derivative of {function.value} is not an expression of this notation")


def argument_cotangent(function: Function, seed: Node, value: Node, argument: Node) -> Node:
    """Return the cotangent of a function's argument.

    Args:
        function: The function; those of `ROW_FUNCTIONS` act on rows, every other one entry by entry.
        seed: The cotangent of its value.
        value: The expression of the function's value, which slopes are written in where they can be.
        argument: The expression that it is applied to.

    Returns:
        The cotangent, an expression in the argument's shape.
    """
    if function is Function.SOFTMAX:
        return Multiply(value, Subtract(seed, Dot(seed, value)))
    if function is Function.MEAN:
        return Apply(Function.MEAN, seed)
    if function is Function.INVERSE_DEVIATION:
        # s = (v + e)^(-1/2) with v the variance: ds/dx_j = -s^3 (x_j - m) / d, for each of the d equal entries.
        centred = Subtract(argument, Apply(Function.MEAN, argument))
        cubed = Multiply(value, Multiply(value, value))
        return negate(Multiply(Apply(Function.MEAN, seed), Multiply(centred, cubed)))
    if function is Function.LOG:
        return Divide(seed, argument)
    return times(seed, slope(function, value, argument))


def propagate(node: Node, seed: Node, into: Contributions) -> None:
    """Collect what the cotangent of a node gives to every variable under it.

    Function applications must have names of their own already: only the affine structure above them is walked.

    Args:
        node: The expression whose cotangent is known.
        seed: Its cotangent.
        into: The collection that is added to.

    Raises:
        ValueError: The node is a function application, or its matrix is computed.
    """
    match node:
        case Variable():
            into[node].append(seed)
        case Constant():
            pass
        case Add():
            propagate(node.left, _gathered(node.left, seed), into)
            propagate(node.right, _gathered(node.right, seed), into)
        case Subtract():
            propagate(node.left, _gathered(node.left, seed), into)
            propagate(node.right, negate(_gathered(node.right, seed)), into)
        case Multiply():
            propagate(node.left, _gathered(node.left, seed, node.right), into)
            propagate(node.right, _gathered(node.right, seed, node.left), into)
        case Divide():
            propagate(node.left, _gathered(node.left, Divide(seed, node.right)), into)
            propagate(node.right, negate(_gathered(node.right, Divide(times(seed, node), node.right))), into)
        case MatrixVector():
            _into_matrix(node.matrix, seed, node.vector, into)
            propagate(node.vector, VectorMatrix(seed, node.matrix), into)
        case VectorMatrix():
            _into_matrix(node.matrix, node.vector, seed, into)
            propagate(node.vector, MatrixVector(node.matrix, seed), into)
        case Concatenate():
            start = Dimension()
            for part in node.parts:
                stop = start + part.shape[0]
                propagate(part, Slice(seed, start, stop, part.shape[0]), into)
                start = stop
        case Component():
            propagate(node.vector, Place(seed, node.index, node.vector.shape), into)
        case _:
            raise ValueError(f"cannot differentiate {type(node).__name__}: name it first")


def _gathered(target: Node, seed: Node, factor: Node = _UNIT) -> Node:
    """Return ``seed factor``, summed over the entries where the target is a scalar that is spread over a vector."""
    whole = times(seed, factor)
    if target.shape or not whole.shape or isinstance(target, Constant):
        return whole
    if factor.shape and seed.shape:
        return Dot(seed, factor)
    return Dot(whole, Add(Multiply(_ZERO, whole), _UNIT))  # with a vector of ones


def _into_matrix(matrix: Node, first: Node, second: Node, into: Contributions) -> None:
    """Add the outer product to the matrix's cotangent; that of a transpose is turned round."""
    if isinstance(matrix, Transpose):
        _into_matrix(matrix.matrix, second, first, into)
    elif isinstance(matrix, Variable):
        into[matrix].append(Outer(first, second))
    else:
        raise ValueError(f"the gradient of a computed matrix ({type(matrix).__name__}) is not supported")


def contributions() -> Contributions:
    """Return an empty collection."""
    return defaultdict(list)
