"""Mistakes in a layer normalisation: left out, not centred, with another variance."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.arithmetic.assumptions import LAYER_NORM_EPSILON
from rnn_harness.specs.expression import (
    Add,
    Apply,
    Constant,
    Divide,
    Function,
    Multiply,
    Node,
    Role,
    Subtract,
    Variable,
)
from rnn_harness.validation.spec_search.change import UNIT, ZERO, Change
from rnn_harness.validation.spec_search.program_rewrites import bare, with_part

BY_VARIANCE = "divided by its variance and not by the root of it"
OUTSIDE = "divided by its deviation and a constant that belongs below the root"
"""Mistakes that a normalisation may have whose root its equations print, too."""


def without_normalisation(node: Add | Multiply) -> Iterator[Change]:
    """Yield what a layer normalisation is applied to in the place of the normalised, gain and shift left out too.

    Args:
        node: A sum or a product, which may be a whole normalisation.
    """
    argument = normalised_with_gain(node)
    if argument is not None:
        yield Change(argument, f"the normalisation of {bare(argument)} is left out", 1)


def other_normalisations(node: Multiply) -> Iterator[Change]:
    """Yield what people take for a normalisation: nothing, one without the mean, or with another variance.

    Args:
        node: A product, which may be a normalisation without gain and shift.
    """
    argument = normalised(node)
    if argument is None:
        return
    name = bare(argument)
    yield Change(argument, f"{name} is not normalised", 1)
    for words, mistaken in variants(argument):
        yield Change(mistaken, f"{name} is {words}", 4)


def variants(argument: Node) -> Iterator[tuple[str, Node]]:
    """Yield what is taken for the normalised argument, with the words for it.

    Args:
        argument: A vector.
    """
    epsilon = Constant(LAYER_NORM_EPSILON)
    centred, inverse = Subtract(argument, Apply(Function.MEAN, argument)), Apply(Function.INVERSE_DEVIATION, argument)
    square = Apply(Function.MEAN, Multiply(argument, argument))
    size = Apply(Function.SQRT, Add(square, epsilon))
    yield "divided by its root mean square, and its mean is not subtracted", Divide(argument, size)
    yield "centred, and then divided by the root mean square of what was not centred", Divide(centred, size)
    variance = Apply(Function.MEAN, Multiply(centred, centred))
    outside = Add(Apply(Function.SQRT, variance), epsilon)
    yield OUTSIDE, Divide(centred, outside)
    # The softmax of zeros is one over the number of units.
    unbiased = Divide(variance, Subtract(UNIT, Apply(Function.SOFTMAX, Multiply(ZERO, argument))))
    deviation = Apply(Function.SQRT, Add(unbiased, epsilon))
    yield "normalised by the variance over one unit less than there are", Divide(centred, deviation)
    unbiased_outside = Add(Apply(Function.SQRT, unbiased), epsilon)
    words = "normalised by the variance over one unit less than there are, with a constant that belongs below the root"
    yield words, Divide(centred, unbiased_outside)
    yield BY_VARIANCE, Multiply(centred, Multiply(inverse, inverse))


def factor_before_normalisation(node: Multiply) -> Iterator[Change]:
    """Yield a normalisation of a product in the place of the product with something normalised.

    Args:
        node: A product.
    """
    for factor, operand in ((node.left, node.right), (node.right, node.left)):
        argument = normalised_with_gain(operand)
        is_parameter = isinstance(factor, Variable) and factor.role is Role.PARAMETER
        if argument is None or is_parameter or factor.shape not in ((), argument.shape):
            continue
        words = f"{bare(factor)} multiplies before the normalisation of {bare(argument)} and not behind it"
        yield Change(with_part(operand, argument, Multiply(factor, argument)), words, 4)


def normalised(node: Node) -> Node | None:
    """Return what a layer normalisation without gain and shift is applied to; None where a node is none.

    Args:
        node: An expression.
    """
    match node:
        case Multiply(Subtract(argument, Apply(Function.MEAN, first)), Apply(Function.INVERSE_DEVIATION, second)) if (
            argument == first == second
        ):
            return argument
    return None


def normalised_with_gain(node: Node) -> Node | None:
    """Return what a layer normalisation is applied to; None where a node is none, or has no gain.

    Args:
        node: An expression.
    """
    match node:
        case Add(inner, Variable(role=Role.PARAMETER)) | Add(Variable(role=Role.PARAMETER), inner):
            return normalised_with_gain(inner)
        case Multiply(Variable(role=Role.PARAMETER), inner) | Multiply(inner, Variable(role=Role.PARAMETER)):
            return normalised(inner)
    return None
