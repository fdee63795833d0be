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

ZERO, ONE = Constant(Fraction(0)), Constant(Fraction(1))
Contributions = dict[Variable, list[Node]]


def negate(node: Node) -> Node:
    """``0 - node``, or what is negated if that is what it is."""
    if isinstance(node, Subtract) and node.left == ZERO:
        return node.right
    return Subtract(ZERO, node)


def times(left: Node, right: Node) -> Node:
    """The product entry by entry, without factors of one; signs are moved outwards."""
    if left == ONE:
        return right
    if right == ONE:
        return left
    if isinstance(left, Subtract) and left.left == ZERO:
        return negate(times(left.right, right))
    return Multiply(left, right)


def total(parts: list[Node]) -> Node:
    """The sum of at least one part; negated parts are subtracted."""
    result = parts[0]
    for part in parts[1:]:
        match part:
            case Subtract() if part.left == ZERO:
                result = Subtract(result, part.right)
            case _:
                result = Add(result, part)
    return result


def slope(function: Function, value: Node, argument: Node) -> Node:
    """The derivative of an entry-by-entry function, from its own value where that is enough."""
    if function is Function.SIGMOID:
        return Multiply(value, Subtract(ONE, value))
    if function is Function.TANH:
        return Subtract(ONE, Multiply(value, value))
    if function is Function.LOG:
        return Divide(ONE, argument)
    if function is Function.IDENTITY:
        return ONE
    if function is Function.RELU:
        return Apply(Function.STEP, argument)
    if function is Function.STEP:
        return ZERO
    raise ValueError(f"the derivative of {function.value} is not an expression of this notation")


def through(function: Function, seed: Node, value: Node, argument: Node) -> Node:
    """The cotangent of a function's argument, from that of its `value`."""
    if function is Function.SOFTMAX:
        return Multiply(value, Subtract(seed, Dot(seed, value)))
    if function is Function.LOG:
        return Divide(seed, argument)
    return times(seed, slope(function, value, argument))


def propagate(node: Node, seed: Node, into: Contributions) -> None:
    """Add to `into` what the cotangent `seed` of `node` gives to every variable.

    Applications must have been named before (`named`): only their arguments' affine structure is walked here.
    """
    match node:
        case Variable():
            into[node].append(seed)
        case Constant():
            pass
        case Add():
            propagate(node.left, seed, into)
            propagate(node.right, seed, into)
        case Subtract():
            propagate(node.left, seed, into)
            propagate(node.right, negate(seed), into)
        case Multiply():
            propagate(node.left, _scalar(node.left, times(seed, node.right)), into)
            propagate(node.right, _scalar(node.right, times(seed, node.left)), into)
        case Divide():
            propagate(node.left, Divide(seed, node.right), into)
            propagate(node.right, negate(Divide(times(seed, node), node.right)), into)
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


def _scalar(target: Node, seed: Node) -> Node:
    """A scalar spread over a vector collects the sum of the vector's cotangent; constants collect nothing."""
    if target.shape == () and seed.shape != () and not isinstance(target, Constant):
        raise ValueError("a scalar variable spread over a vector is not supported in a recurrence")
    return seed


def _into_matrix(matrix: Node, left: Node, right: Node, into: Contributions) -> None:
    if isinstance(matrix, Transpose):
        _into_matrix(matrix.matrix, right, left, into)
    elif isinstance(matrix, Variable):
        into[matrix].append(Outer(left, right))
    else:
        raise ValueError(f"the gradient of a computed matrix ({type(matrix).__name__}) is not supported")


def contributions() -> Contributions:
    """An empty collection."""
    return defaultdict(list)
