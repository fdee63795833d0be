"""Mistakes in a function: another one stands in its place, or it is applied to more or to less than it should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnn_harness.specs.expression import (
    Add,
    Apply,
    Function,
    MatrixVector,
    Multiply,
    Node,
    Role,
    Subtract,
    VectorMatrix,
    variables,
)
from rnn_harness.specs.rewrite import substitute
from rnn_harness.validation.spec_search.change import ACTIVATIONS, UNIT, ZERO, Change
from rnn_harness.validation.spec_search.piecewise_functions import piecewise_functions
from rnn_harness.validation.spec_search.program_rewrites import bare, sum_of, summands
from rnn_harness.validation.spec_search.smooth_functions import smooth_functions

OTHER_FUNCTIONS = (Function.SOFTMAX, Function.SOFTPLUS, Function.EXP)
"""Functions that are no activations of a cell's gates, and stand where one should."""


def other_functions(node: Apply) -> Iterator[Change]:
    """Yield another function, none, or one that is applied to the factors of its argument.

    Args:
        node: A function of an expression.
    """
    argument, function = node.argument, node.function
    yield from replaced_functions(node)
    if function not in (Function.RELU, Function.IDENTITY):  # which change nothing the second time
        yield Change(Apply(function, node), f"{function.value} is applied twice", 4)
    if function is Function.SIGMOID:
        yield Change(Subtract(UNIT, node), f"1 - {bare(node)} stands where {bare(node)} should", 3)
    has_sign = isinstance(argument, Subtract) and argument.left == ZERO  # which is left out as one of any sum is
    if function in (Function.RELU, Function.EXP, Function.SOFTPLUS) and not has_sign:
        yield Change(Apply(function, Subtract(ZERO, argument)), f"{bare(argument)} has the other sign", 3)
    yield from _terms_outside(node)
    yield from _terms_left_outside(node)
    yield from _operands_inside(node)
    if isinstance(argument, Multiply):
        for factor, others in ((argument.left, argument.right), (argument.right, argument.left)):
            outside = Multiply(factor, Apply(function, others))
            yield Change(outside, f"{function.value} is applied before the product with {bare(factor)}", 3)


def replaced_functions(node: Apply) -> Iterator[Change]:
    """Yield another function of the argument, or none.

    Args:
        node: A function of an expression.
    """
    argument, function = node.argument, node.function
    for other in ACTIVATIONS:
        if other is Function.IDENTITY:
            yield Change(argument, f"{function.value} is left out", 1)
        elif other is not function:
            yield Change(Apply(other, argument), f"{other.value} stands where {function.value} should", 1)
    if function in (Function.SIGMOID, Function.TANH, Function.RELU):
        for mistaken in OTHER_FUNCTIONS if argument.shape else OTHER_FUNCTIONS[1:]:  # a softmax is one of a vector
            yield Change(Apply(mistaken, argument), f"{mistaken.value} stands where {function.value} should", 3)
    yield from piecewise_functions(node)
    yield from smooth_functions(node)


def _terms_outside(node: Apply) -> Iterator[Change]:
    """Yield a function of a sum to which one of the terms is added behind it."""
    argument = node.argument
    if isinstance(argument, Subtract) and argument.left.shape == node.shape and node.function in ACTIVATIONS:
        words = f"{bare(argument.right)} is subtracted behind {node.function.value} and not before it"
        yield Change(Subtract(Apply(node.function, argument.left), argument.right), words, 3)
    terms = list(summands(argument))
    for place, term in enumerate(terms if node.function in ACTIVATIONS else ()):
        others = [*terms[:place], *terms[place + 1 :]]
        if not others or term.shape not in ((), node.shape):
            continue
        inside = sum_of(others)
        if inside.shape == node.shape:
            words = f"{bare(term)} is added behind {node.function.value} and not before it"
            yield Change(Add(Apply(node.function, inside), term), words, 3)


def _terms_left_outside(node: Apply) -> Iterator[Change]:
    """Yield a function whose parenthesis closes several terms too early, or opens too late."""
    terms = list(summands(node.argument))
    for place in range(1, len(terms)) if node.function in ACTIVATIONS and len(terms) > 2 else ():
        for inside, outside, words in (
            (terms[:place], terms[place:], f"ends before {bare(terms[place])}"),
            (terms[place:], terms[:place], f"begins behind {bare(terms[place - 1])}"),
        ):
            if len(outside) > 1 and sum_of(inside).shape == node.shape:
                moved = Add(Apply(node.function, sum_of(inside)), sum_of(outside))
                yield Change(moved, f"{node.function.value} {words}", 4)


def _operands_inside(node: Apply) -> Iterator[Change]:
    """Yield the argument of a function with the function applied to one symbol in it, as before a normalisation."""
    for symbol in dict.fromkeys(variables(node.argument)):
        if node.function in ACTIVATIONS and symbol.role is not Role.PARAMETER and symbol.shape == node.shape:
            inside = substitute(node.argument, {symbol: Apply(node.function, symbol)})
            words = f"{node.function.value} is applied to {bare(symbol)} and not to what is computed from it"
            yield Change(inside, words, 4)


def functions_behind(node: MatrixVector | VectorMatrix) -> Iterator[Change]:
    """Yield products in which a function of the operand, or of a factor of it, is applied behind the matrix.

    Args:
        node: The product of a matrix and a vector.
    """
    vector = node.vector
    plain: list[tuple[Function, Node]] = []
    if isinstance(vector, Apply):
        plain.append((vector.function, vector.argument))
    elif isinstance(vector, Multiply):
        for factor, remaining in ((vector.left, vector.right), (vector.right, vector.left)):
            if isinstance(factor, Apply):
                plain.append((factor.function, Multiply(remaining, factor.argument)))
    for function, operand in plain:
        if function in ACTIVATIONS and operand.shape == vector.shape:
            words = f"{function.value} is applied behind {bare(node.matrix)} and not before it"
            yield Change(Apply(function, replace(node, vector=operand)), words, 3)
