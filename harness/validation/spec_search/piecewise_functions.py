"""Functions that stand where sigmoid, tanh or relu should: of straight pieces, or of pieces of other functions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from rnn_harness.specs.expression import Add, Apply, Constant, Divide, Function, Multiply, Node, Subtract
from rnn_harness.validation.spec_search.change import UNIT, ZERO, Change

LEAKS = (Fraction(1, 100), Fraction(1, 5), Fraction(3, 10), Fraction(1, 10))
"""Slopes of leaky rectifiers below zero: torch's, that of many networks, Keras' before 3, and one that people write."""
LIMITS = (1, 2, 3)
"""Limits that are left in front of a function, small enough for numbers of the usual size to reach them."""
HARD_SIGMOID_SLOPES = (Fraction(1, 5), Fraction(1, 6), Fraction(1, 4))
"""Slopes of the hard sigmoids in use: Keras before 3, torch, and Theano's tangent at zero."""
_HALF = Constant(Fraction(1, 2))


def piecewise_functions(node: Apply) -> Iterator[Change]:
    """Yield what stands for a function where exponentials are spared, or where another library has it.

    Args:
        node: A function of an expression.
    """
    argument = node.argument
    where = f"stands where {node.function.value} should"
    if node.function is Function.SIGMOID:
        for slope in HARD_SIGMOID_SLOPES:
            line = Add(Multiply(Constant(slope), argument), _HALF)
            yield Change(_from_zero_to_one(line), f"a hard sigmoid of slope {slope} {where}", 3)
        yield Change(_from_zero_to_one(argument), f"a limit to [0, 1] {where}", 3)
    elif node.function is Function.TANH:
        yield Change(clipped(argument), f"a hard tanh {where}", 3)
        size = Add(_relu(argument), _relu(_negative(argument)))
        yield Change(Divide(argument, Add(UNIT, size)), f"softsign {where}", 3)
    elif node.function is Function.RELU:
        yield Change(_negative(_relu(_negative(argument))), "the smaller stands where the larger should", 3)
    for limit in LIMITS:
        limited = Apply(node.function, _within(argument, limit))
        yield Change(limited, f"what {node.function.value} is applied to is limited to [-{limit}, {limit}]", 4)
    if node.function in (Function.TANH, Function.RELU):
        for leak in LEAKS:
            leaky = Add(_relu(argument), Multiply(Constant(leak), Subtract(argument, _relu(argument))))
            yield Change(leaky, f"a leaky relu of slope {leak} below zero {where}", 3)
        sixth = Multiply(argument, Constant(Fraction(1, 6)))
        six = Constant(Fraction(6))
        above = Add(argument, Constant(Fraction(3)))
        to_six = Subtract(_relu(above), _relu(Subtract(above, six)))
        yield Change(Multiply(sixth, to_six), f"a hard swish {where}", 3)
        yield Change(Multiply(argument, Apply(Function.SIGMOID, argument)), f"silu {where}", 3)
        below = Subtract(Apply(Function.EXP, _negative(_relu(_negative(argument)))), UNIT)
        yield Change(Add(_relu(argument), below), f"elu {where}", 3)


def clipped(argument: Node) -> Node:
    """Return an expression limited to [-1, 1].

    Args:
        argument: The expression.
    """
    return _within(argument, 1)


def _within(argument: Node, limit: int) -> Node:
    """Return an expression limited to [-limit, limit]."""
    bound = Constant(Fraction(limit))
    above, below = _relu(Subtract(argument, bound)), _relu(Add(argument, bound))
    return Subtract(Subtract(below, above), bound)


def positive(argument: Node) -> Node:
    """Return x + 1/2 of what is positive and sigmoid of what is not: how a minGRU keeps its logarithms defined.

    Args:
        argument: The expression.
    """
    return Add(_relu(argument), Apply(Function.SIGMOID, _negative(_relu(_negative(argument)))))


def _from_zero_to_one(argument: Node) -> Node:
    return Subtract(_relu(argument), _relu(Subtract(argument, UNIT)))


def _relu(argument: Node) -> Node:
    return Apply(Function.RELU, argument)


def _negative(argument: Node) -> Node:
    return Subtract(ZERO, argument)
