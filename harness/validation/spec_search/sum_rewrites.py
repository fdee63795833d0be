"""Mistakes in a sum: a term that is dropped, negated, doubled, or that stands inside or outside of the wrong thing."""

from __future__ import annotations

import itertools
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
    Variable,
    VectorMatrix,
)
from rnn_harness.validation.spec_search.change import ACTIVATIONS, TWO, UNIT, ZERO, Change
from rnn_harness.validation.spec_search.program_rewrites import bare, sum_of, summands


def _factors(node: Node) -> Iterator[tuple[Node, Node]]:
    """Yield each factor of a product with the other one."""
    if isinstance(node, Multiply):
        yield node.left, node.right
        yield node.right, node.left


def other_terms(node: Add | Subtract) -> Iterator[Change]:
    """Yield sums in which a term is dropped, negated, doubled, or stands inside or outside of what it should not.

    Args:
        node: A sum or a difference.
    """
    left, right = node.left, node.right
    if isinstance(node, Subtract) and left == UNIT:
        yield Change(right, f"{bare(right)} stands where {bare(node)} should", 1)
        yield Change(Subtract(right, left), f"1 and {bare(right)} are exchanged in {bare(node)}", 3)
        yield Change(Add(left, right), f"{bare(right)} is added to 1, not subtracted", 3)
        root = Apply(Function.SQRT, Subtract(UNIT, Multiply(right, right)))
        yield Change(root, f"the root of one less the square of {bare(right)} stands where {bare(node)} should", 5)
        yield from _without_parentheses(node)
        return
    if isinstance(node, Subtract) and left == ZERO:
        yield Change(right, f"the sign of {bare(right)} is lost", 1)
        return
    if left.shape == node.shape:
        yield Change(left, f"{bare(right)} is not added", 1)
    if right.shape == node.shape:
        yield Change(right, f"{bare(left)} is not added", 1)
    other = Subtract(left, right) if isinstance(node, Add) else Add(left, right)
    verb = "subtracted, not added" if isinstance(node, Add) else "added, not subtracted"
    yield Change(other, f"{bare(right)} is {verb}", 2)
    yield from _terms_inside(node)
    if isinstance(node, Subtract):
        yield from _factor_of_all_terms(node)
        yield from _without_parentheses(node)
    if isinstance(node, Subtract) and left.shape == right.shape:
        yield Change(Subtract(right, left), f"{bare(left)} and {bare(right)} are exchanged", 2)
    if isinstance(node, Subtract) and isinstance(left, Add) and left.right.shape == right.shape:
        words = f"{bare(left.right)} and {bare(right)} are multiplied, not subtracted"
        yield Change(Add(left.left, Multiply(left.right, right)), words, 3)
    if isinstance(node, Add):
        yield from _exchanged_weights(node)
        yield Change(Subtract(right, left), f"{bare(left)} is subtracted, not added", 2)
        yield Change(Add(node, right), f"{bare(right)} is added twice", 3)
        yield Change(Add(left, node), f"{bare(left)} is added twice", 3)
        if left.shape == right.shape:
            yield Change(Multiply(left, right), f"{bare(left)} and {bare(right)} are multiplied", 4)
            for result, term in ((left, right), (right, left)):
                if isinstance(result, Variable) and result.role is Role.INTERMEDIATE:
                    yield Change(Add(term, UNIT), f"1 stands where {bare(result)} should", 4)
            if isinstance(left, Multiply) and isinstance(right, Multiply):
                larger = Add(left, Apply(Function.RELU, Subtract(right, left)))
                yield Change(larger, f"the larger of {bare(left)} and {bare(right)} stands where their sum should", 6)
        yield from _wider_products(node)
        yield from _outer_functions(node)
        yield from _inner_biases(node)
        yield from _multiplied_terms(node)
        yield from _doubled_sigmoids(node)
        yield from _terms_of_the_other_factor(node)


def _terms_of_the_other_factor(node: Add) -> Iterator[Change]:
    """Yield sums of two products in which a term of the one's factor stands in that of the other."""
    for first, second in ((node.left, node.right), (node.right, node.left)):
        for (source, x), (factor, y) in itertools.product(_factors(first), _factors(second)):
            terms = list(summands(source))
            for place, term in enumerate(terms if len(terms) > 1 else ()):
                rest = sum_of([*terms[:place], *terms[place + 1 :]])
                if {term.shape, rest.shape, factor.shape} <= {(), node.shape}:
                    moved = Add(Multiply(rest, x), Multiply(Add(factor, term), y))
                    yield Change(moved, f"{bare(term)} is added to {bare(factor)} and not to {bare(rest)}", 4)


def _doubled_sigmoids(node: Add) -> Iterator[Change]:
    """Yield twice a sigmoid in the place of 1 + tanh, which has the same range and half the slope."""
    for one, function in ((node.left, node.right), (node.right, node.left)):
        if one == UNIT and isinstance(function, Apply) and function.function is Function.TANH:
            doubled = Multiply(TWO, Apply(Function.SIGMOID, function.argument))
            yield Change(doubled, f"2 sigmoid stands where 1 + tanh of {bare(function.argument)} should", 3)


def _terms_inside(node: Add | Subtract) -> Iterator[Change]:
    """Yield sums of which a term stands under the function of the other term, or of a factor of it."""
    for term, outside in ((node.left, node.right), (node.right, node.left)):
        if isinstance(node, Subtract) and outside is node.left:
            continue
        if isinstance(term, Apply) and term.argument.shape == node.shape:
            joined = replace(node, left=term.argument, right=outside)
            yield Change(Apply(term.function, joined), f"{bare(outside)} stands under {term.function.value}", 3)
        for factor, inside in _factors(term):
            if isinstance(inside, Apply) and inside.argument.shape == node.shape and inside.function in ACTIVATIONS:
                bare_sum = replace(node, left=Multiply(factor, inside.argument), right=outside)
                words = f"{inside.function.value} is applied to the whole sum"
                yield Change(Apply(inside.function, bare_sum), words, 3)


def _without_parentheses(node: Subtract) -> Iterator[Change]:
    """Yield differences in which what is subtracted ends before its last term."""
    right = node.right
    for bracket, wrap in (
        (right, None),
        (right.argument, right.function) if isinstance(right, Apply) else (None, None),
    ):
        if not isinstance(bracket, Add | Subtract) or bracket.left.shape != right.shape:
            continue
        first = bracket.left if wrap is None else Apply(wrap, bracket.left)
        words = f"{bare(right)} ends before {bare(bracket.right)}"
        yield Change(replace(bracket, left=Subtract(node.left, first)), words, 4)


def _exchanged_weights(node: Add) -> Iterator[Change]:
    """Yield a sum of two products whose factors are exchanged."""
    first, second = node.left, node.right
    if not (isinstance(first, Multiply) and isinstance(second, Multiply)):
        return
    for a, x in ((first.left, first.right), (first.right, first.left)):
        if a.shape == x.shape == second.left.shape == second.right.shape:
            exchanged = Add(Multiply(second.left, x), Multiply(a, second.right))
            yield Change(exchanged, f"{bare(a)} and {bare(second.left)} are exchanged", 2)


def _wider_products(node: Add) -> Iterator[Change]:
    """Yield sums in which a factor of one term multiplies the other terms too."""
    for product, outside in ((node.left, node.right), (node.right, node.left)):
        for factor, inside in _factors(product):
            if inside.shape == outside.shape and factor.shape in ((), outside.shape):
                words = f"{bare(factor)} multiplies {bare(outside)} too"
                yield Change(Multiply(factor, Add(inside, outside)), words, 3)
        yield from _wider_operands(product, outside)


def _factor_of_all_terms(node: Subtract) -> Iterator[Change]:
    """Yield a sum and difference of which a factor of its first term multiplies all terms."""
    first = node.left
    while isinstance(first, Add | Subtract):
        first = first.left
    for factor, inside in _factors(first):
        if inside.shape == first.shape and factor.shape in ((), node.shape):
            product = Multiply(factor, _with_first_term(node, inside))
            yield Change(product, f"{bare(factor)} multiplies all that follows, too", 4)


def _with_first_term(node: Node, term: Node) -> Node:
    """Return a sum or difference with another first term."""
    if isinstance(node, Add | Subtract):
        return replace(node, left=_with_first_term(node.left, term))
    return term


def _wider_operands(product: Node, outside: Node) -> Iterator[Change]:
    """Yield sums in which a matrix, or what multiplies an operand before it, multiplies the other terms, too."""
    if isinstance(product, MatrixVector | VectorMatrix):
        vector = product.vector
        if vector.shape == outside.shape == product.shape:
            words = f"{bare(product.matrix)} multiplies {bare(outside)} too"
            yield Change(replace(product, vector=Add(vector, outside)), words, 4)
        if isinstance(vector, Multiply) and vector.shape == product.shape == outside.shape:
            for factor, operand in ((vector.left, vector.right), (vector.right, vector.left)):
                if factor.shape == operand.shape == product.shape:
                    whole = Add(outside, replace(product, vector=operand))
                    words = f"{bare(factor)} multiplies {bare(outside)} too"
                    yield Change(Multiply(factor, whole), words, 4)


def _outer_functions(node: Add) -> Iterator[Change]:
    """Yield a function of the sum in the place of the sum of two terms to which it is applied."""
    for function in ACTIVATIONS:
        plain = [_without_function(term, function) for term in (node.left, node.right)]
        if plain[0] is None or plain[1] is None or {plain[0].shape, plain[1].shape} - {(), node.shape}:
            continue
        words = f"{function.value} is applied to the sum and not to its terms"
        yield Change(Apply(function, Add(plain[0], plain[1])), words, 4)


def _without_function(term: Node, function: Function) -> Node | None:
    """Return a term without a function that is applied to it, or to a factor of it; None where none is."""
    if isinstance(term, Apply) and term.function is function:
        return term.argument
    for factor, argument in _factors(term):
        if isinstance(argument, Apply) and argument.function is function:
            return Multiply(factor, argument.argument)
    return None


def _inner_biases(node: Add) -> Iterator[Change]:
    """Yield sums whose bias is added before a product and not behind it."""
    terms = list(summands(node))
    biases = [term for term in terms if isinstance(term, Variable) and term.role is Role.PARAMETER]
    for bias in biases:
        for place, term in enumerate(terms):
            others = [other for number, other in enumerate(terms) if other != bias and number != place]
            for inside, words in _with_bias_inside(term, bias):
                yield Change(sum_of([*others, inside]), words, 4)


def _with_bias_inside(term: Node, bias: Variable) -> Iterator[tuple[Node, str]]:
    """Yield a product whose operand has a bias added, with the words for it."""
    if isinstance(term, MatrixVector | VectorMatrix) and term.vector.shape == bias.shape:
        words = f"{bias.name} is added before {bare(term.matrix)} and not behind it"
        yield replace(term, vector=Add(term.vector, bias)), words
        for factor, operand in _factors(term.vector):
            if factor.shape == operand.shape == term.shape:
                words = f"{bare(factor)} multiplies behind {bare(term.matrix)}, and {bias.name} too"
                yield Multiply(factor, Add(replace(term, vector=operand), bias)), words
    for factor, operand in _factors(term):
        if operand.shape == bias.shape == factor.shape:
            yield Multiply(factor, Add(operand, bias)), f"{bias.name} is added before {bare(factor)} and not behind it"


def _multiplied_terms(node: Add) -> Iterator[Change]:
    """Yield a term that multiplies the sum of the other ones."""
    terms = list(summands(node))
    for place, term in enumerate(terms if len(terms) > 2 else ()):
        others = sum_of([*terms[:place], *terms[place + 1 :]])
        if term.shape == others.shape:
            yield Change(Multiply(term, others), f"{bare(term)} multiplies {bare(others)}", 5)
