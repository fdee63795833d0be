"""Smooth functions that stand where tanh or relu should: GELU, mish, SELU, scaled tanh, arctangent, sine."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from rnn_harness.specs.expression import Add, Apply, Constant, Divide, Function, Multiply, Node, Subtract
from rnn_harness.validation.spec_search.change import UNIT, ZERO, Change

_TERMS = 60
"""Terms of the series of the normal distribution: as many as it needs for arguments up to 6."""
_TERMS_OF_SINE, _TERMS_OF_ARCTANGENT = 24, 40
"""Terms of the other series: of the sine for arguments up to 12, of the arctangent for any."""


def smooth_functions(node: Apply) -> Iterator[Change]:
    """Yield a smooth function that people take for the one of a candidate.

    Args:
        node: A function of an expression; of another one than tanh and relu nothing is yielded.
    """
    if node.function not in (Function.TANH, Function.RELU):
        return
    argument, where = node.argument, f"stands where {node.function.value} should"
    yield Change(Multiply(argument, _normal_distribution(argument)), f"gelu {where}", 3)
    cube = Multiply(Multiply(argument, argument), argument)
    inside = _scaled(math.sqrt(2 / math.pi), Add(argument, _scaled(0.044715, cube)))
    yield Change(Multiply(_scaled(0.5, argument), Add(UNIT, Apply(Function.TANH, inside))), f"gelu by tanh {where}", 3)
    quick = Multiply(argument, Apply(Function.SIGMOID, _scaled(1.702, argument)))
    yield Change(quick, f"gelu by a sigmoid {where}", 4)
    mish = Multiply(argument, Apply(Function.TANH, Apply(Function.SOFTPLUS, argument)))
    yield Change(mish, f"mish {where}", 3)
    above = Apply(Function.RELU, argument)
    below = Subtract(Apply(Function.EXP, Subtract(argument, above)), UNIT)
    # The two numbers of Klambauer 2017 (Self-Normalizing Neural Networks), as torch has them.
    selu = _scaled(1.0507009873554804934193349852946, Add(above, _scaled(1.6732632423543772848170429916717, below)))
    yield Change(selu, f"selu {where}", 3)
    logarithm = Subtract(ZERO, Apply(Function.SOFTPLUS, Subtract(ZERO, argument)))
    yield Change(logarithm, f"the logarithm of the sigmoid {where}", 4)
    if node.function is Function.TANH:
        scaled = _scaled(1.7159, Apply(Function.TANH, Multiply(Constant(Fraction(2, 3)), argument)))
        yield Change(scaled, f"1.7159 tanh(2/3 x), as LeCun has it, {where}", 4)
        yield Change(_arctangent(argument), f"the arctangent {where}", 4)
        yield Change(_sine(argument), f"the sine {where}", 4)


def _scaled(factor: float, node: Node) -> Node:
    return Multiply(Constant(Fraction(factor)), node)


def _normal_distribution(argument: Node) -> Node:
    """The distribution function of the normal distribution, 1/2 plus its density times x + x^3/3 + x^5/15 + ...

    All terms have one sign, so that none of the digits is lost.
    """
    square = Multiply(argument, argument)
    series: Node = UNIT
    for term in range(_TERMS, 0, -1):
        series = Add(UNIT, Multiply(Constant(Fraction(1, 2 * term + 1)), Multiply(square, series)))
    density = _scaled(1 / math.sqrt(2 * math.pi), Apply(Function.EXP, _scaled(-0.5, square)))
    return Add(Constant(Fraction(1, 2)), Multiply(density, Multiply(argument, series)))


def _sine(argument: Node) -> Node:
    """The sine, x times 1 - x^2/(2 3) (1 - x^2/(4 5) (1 - ...))."""
    square = Multiply(argument, argument)
    series: Node = UNIT
    for term in range(_TERMS_OF_SINE, 0, -1):
        share = Constant(Fraction(1, 2 * term * (2 * term + 1)))
        series = Subtract(UNIT, Multiply(share, Multiply(square, series)))
    return Multiply(argument, series)


def _arctangent(argument: Node) -> Node:
    """The arctangent, x/s times 1 + 2/3 r (1 + 4/5 r (1 + 6/7 r (1 + ...))).

    That is Euler's series of half the angle: s is the root of 1 + x^2, and r = (1 - 1/s)/2 lies below 1/2.
    """
    root = Apply(Function.SQRT, Add(UNIT, Multiply(argument, argument)))
    share = Multiply(Constant(Fraction(1, 2)), Subtract(UNIT, Divide(UNIT, root)))
    series: Node = UNIT
    for term in range(_TERMS_OF_ARCTANGENT, 0, -1):
        factor = Constant(Fraction(2 * term, 2 * term + 1))
        series = Add(UNIT, Multiply(factor, Multiply(share, series)))
    return Multiply(Divide(argument, root), series)
