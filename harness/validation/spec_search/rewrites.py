"""Faults as rewrites of a program's expressions, each with a sentence made of the spec's own symbols."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from rnn_harness.specs.expression import (
    Add,
    Apply,
    Constant,
    Divide,
    Function,
    MatrixVector,
    Multiply,
    Node,
    Role,
    ShapeError,
    Subtract,
    Transpose,
    Variable,
    VectorMatrix,
    variables,
)
from rnn_harness.specs.program import Assignment, Pass, Program
from rnn_harness.specs.rewrite import replace_children
from rnn_harness.validation.spec_search.program_rewrites import bare, in_order, program_changes, summands

_UNIT, _ZERO = Constant(Fraction(1)), Constant(Fraction(0))
_ACTIVATIONS = (Function.SIGMOID, Function.TANH, Function.RELU, Function.IDENTITY)


@dataclass(frozen=True)
class Rewrite:
    """A program that is wrong in one place, or two.

    Attributes:
        program: The rewritten program.
        equations: The ids of the equations at fault.
        sentences: What is wrong in each of them, by the symbols of the spec.
        cost: How unlikely the mistake is: lower ones are tried first.
    """

    program: Program
    equations: tuple[str, ...]
    sentences: tuple[str, ...]
    cost: int


@dataclass(frozen=True)
class _Change:
    """Another expression in the place of one, in words."""

    expression: Node
    words: str
    cost: int


@dataclass(frozen=True)
class _Symbols:
    """The symbols that may be read by mistake at one assignment.

    Attributes:
        values: States at both times, intermediates and inputs that are known there.
        parameters: All parameters.
    """

    values: tuple[Variable, ...]
    parameters: tuple[Variable, ...]


def rewrites(program: Program) -> list[Rewrite]:
    """List the programs that differ from one by a single mistake, likely ones first.

    Args:
        program: The right program.
    """
    listed: dict[Program, Rewrite] = {}
    for number, assignment in enumerate(program.assignments):
        symbols = _Symbols(tuple(_known_values(program, number)), program.parameters)
        for change in (*_changes(assignment.expression, symbols), *_whole_changes(assignment)):
            if change.expression.shape != assignment.target.shape:
                continue
            rewritten = in_order(with_expression(program, number, change.expression))
            listed.setdefault(rewritten, Rewrite(rewritten, (assignment.equation,), (change.words,), change.cost))
    for whole in program_changes(program):
        listed.setdefault(whole.program, Rewrite(whole.program, whole.equations, whole.sentences, whole.cost))
    listed.pop(program, None)
    return sorted(listed.values(), key=lambda rewrite: rewrite.cost)


def with_expression(program: Program, number: int, expression: Node) -> Program:
    """Return a program with another expression in one assignment.

    Args:
        program: The program; not changed.
        number: The number of the assignment.
        expression: What is computed in its place.
    """
    passes: list[Pass] = []
    start = 0
    for part in program.passes:
        count = len(part.assignments)
        if start <= number < start + count:
            assignments = list(part.assignments)
            assignments[number - start] = replace(assignments[number - start], expression=expression)
            passes.append(replace(part, assignments=tuple(assignments)))
        else:
            passes.append(part)
        start += count
    return replace(program, passes=tuple(passes))


def _known_values(program: Program, number: int) -> Iterator[Variable]:
    """Yield what an assignment could read: inputs, old states, and what is computed without it."""
    yield from program.inputs
    for state in program.states:
        yield state.at(-1)
    dependent = {program.assignments[number].target}
    for place, assignment in enumerate(program.assignments):
        if place < number:
            yield assignment.target
        elif place > number and len(program.passes) == 1:
            if dependent & set(variables(assignment.expression)):
                dependent.add(assignment.target)
            else:
                yield assignment.target


def _whole_changes(assignment: Assignment) -> Iterator[_Change]:
    """Yield what may be wrong with a whole result."""
    expression, name = assignment.expression, assignment.target.name
    if assignment.target.role is Role.STATE:
        for function in (Function.TANH, Function.SIGMOID) if not isinstance(expression, Apply) else ():
            yield _Change(Apply(function, expression), f"{name} goes through {function.value}", 4)
        yield _Change(Add(expression, assignment.target.at(-1)), f"the old {name} is added to the new one", 5)


def _changes(node: Node, symbols: _Symbols) -> Iterator[_Change]:
    """Yield every single change of an expression."""
    yield from _local(node, symbols)
    for place, child in enumerate(node.children):
        for change in _changes(child, symbols):
            rebuilt = _with_child(node, place, change.expression)
            if rebuilt is not None:
                yield replace(change, expression=rebuilt)


def _with_child(node: Node, place: int, child: Node) -> Node | None:
    """Return a node with another child; None where its shape does not fit."""
    children = list(node.children)
    children[place] = child
    following = iter(children)
    try:
        return replace_children(node, lambda _: next(following))
    except ShapeError:
        return None


def _local(node: Node, symbols: _Symbols) -> Iterator[_Change]:
    """Yield the changes of one node, its children left as they are; those that fit no shape are left out."""
    match node:
        case Variable():
            yield from _other_symbols(node, symbols)
        case Add() | Subtract():
            yield from _other_terms(node)
        case Multiply():
            yield from _other_factors(node)
        case Divide():
            yield _Change(node.left, f"{bare(node.left)} is not divided by {bare(node.right)}", 2)
        case MatrixVector() | VectorMatrix():
            yield from _other_products(node, symbols)
        case Apply():
            yield from _other_functions(node)


def _other_symbols(node: Variable, symbols: _Symbols) -> Iterator[_Change]:
    """Yield another symbol of the same shape, another time, or the complement."""
    if node.role is Role.PARAMETER:
        for other in symbols.parameters:
            if other.shape == node.shape and other != node:
                yield _Change(other, f"{other.name} stands where {node.name} should", 1)
        if len(node.shape) == 2 and node.shape[0] == node.shape[1]:
            yield _Change(Transpose(node), f"{node.name} is transposed", 1)
        return
    for other in symbols.values:
        if other.shape == node.shape and other != node:
            yield _Change(other, f"{bare(other)} stands where {bare(node)} should", 2)
    if node.role is Role.INTERMEDIATE:
        yield _Change(Subtract(_UNIT, node), f"1 - {node.name} stands where {node.name} should", 2)
    if node.role in (Role.STATE, Role.INTERMEDIATE) and node.shape:
        cost = 4 if node.role is Role.STATE else 5
        yield _Change(Apply(Function.TANH, node), f"tanh is applied to {bare(node)}", cost)


def _other_terms(node: Add | Subtract) -> Iterator[_Change]:
    """Yield sums in which a term is dropped, negated or doubled."""
    left, right = node.left, node.right
    if isinstance(node, Subtract) and left == _UNIT:
        yield _Change(right, f"{bare(right)} stands where {bare(node)} should", 1)
        return
    if isinstance(node, Subtract) and left == _ZERO:
        yield _Change(right, f"the sign of {bare(right)} is lost", 1)
        return
    if left.shape == node.shape:
        yield _Change(left, f"{bare(right)} is not added", 1)
    if right.shape == node.shape:
        yield _Change(right, f"{bare(left)} is not added", 1)
    other = Subtract(left, right) if isinstance(node, Add) else Add(left, right)
    verb = "subtracted, not added" if isinstance(node, Add) else "added, not subtracted"
    yield _Change(other, f"{bare(right)} is {verb}", 2)
    yield from _terms_inside(node)
    if isinstance(node, Subtract) and left.shape == right.shape:
        yield _Change(Subtract(right, left), f"{bare(left)} and {bare(right)} are exchanged", 2)
    if isinstance(node, Subtract) and isinstance(left, Add) and left.right.shape == right.shape:
        words = f"{bare(left.right)} and {bare(right)} are multiplied, not subtracted"
        yield _Change(Add(left.left, Multiply(left.right, right)), words, 3)
    if isinstance(node, Add):
        yield from _exchanged_weights(node)
        yield _Change(Subtract(right, left), f"{bare(left)} is subtracted, not added", 2)
        yield _Change(Add(node, right), f"{bare(right)} is added twice", 3)
        yield _Change(Add(left, node), f"{bare(left)} is added twice", 3)
        if left.shape == right.shape:
            yield _Change(Multiply(left, right), f"{bare(left)} and {bare(right)} are multiplied", 4)
        yield from _wider_products(node)


def _terms_inside(node: Add | Subtract) -> Iterator[_Change]:
    """Yield sums of which a term stands under the function of the other term, or of a factor of it."""
    for term, outside in ((node.left, node.right), (node.right, node.left)):
        if isinstance(node, Subtract) and outside is node.left:
            continue
        if isinstance(term, Apply) and term.argument.shape == node.shape:
            joined = replace(node, left=term.argument, right=outside)
            yield _Change(Apply(term.function, joined), f"{bare(outside)} stands under {term.function.value}", 3)


def _exchanged_weights(node: Add) -> Iterator[_Change]:
    """Yield a sum of two products whose factors are exchanged."""
    first, second = node.left, node.right
    if not (isinstance(first, Multiply) and isinstance(second, Multiply)):
        return
    for a, x in ((first.left, first.right), (first.right, first.left)):
        if a.shape == x.shape == second.left.shape == second.right.shape:
            exchanged = Add(Multiply(second.left, x), Multiply(a, second.right))
            yield _Change(exchanged, f"{bare(a)} and {bare(second.left)} are exchanged", 2)


def _wider_products(node: Add) -> Iterator[_Change]:
    """Yield sums in which a factor of one term multiplies the other terms too."""
    for product, outside in ((node.left, node.right), (node.right, node.left)):
        if isinstance(product, Multiply) and product.left.shape == product.right.shape == outside.shape:
            for factor, inside in ((product.left, product.right), (product.right, product.left)):
                words = f"{bare(factor)} multiplies {bare(outside)} too"
                yield _Change(Multiply(factor, Add(inside, outside)), words, 3)
        yield from _wider_operands(product, outside)


def _wider_operands(product: Node, outside: Node) -> Iterator[_Change]:
    """Yield sums in which what multiplies an operand before the matrix multiplies the other terms instead."""
    if isinstance(product, MatrixVector | VectorMatrix):
        vector = product.vector
        if isinstance(vector, Multiply) and vector.shape == product.shape == outside.shape:
            for factor, operand in ((vector.left, vector.right), (vector.right, vector.left)):
                if factor.shape == operand.shape == product.shape:
                    whole = Add(outside, replace(product, vector=operand))
                    words = f"{bare(factor)} multiplies {bare(outside)} too"
                    yield _Change(Multiply(factor, whole), words, 4)


def _other_factors(node: Multiply) -> Iterator[_Change]:
    """Yield products in which a factor is dropped, added, or stands before a function or a matrix and not behind it."""
    left, right = node.left, node.right
    match node:
        case Multiply(Subtract(argument, Apply(Function.MEAN, first)), Apply(Function.INVERSE_DEVIATION, second)) if (
            argument == first == second
        ):
            yield _Change(argument, f"{bare(argument)} is not normalised", 1)
    for factor, others in ((left, right), (right, left)):
        if (
            others.shape in ((), node.shape) and factor != _UNIT
        ):  # what is left of a product with a number may be spread again
            yield _Change(others, f"{bare(others)} is not multiplied by {bare(factor)}", 1)
    if left.shape == right.shape:
        yield _Change(Add(left, right), f"{bare(left)} and {bare(right)} are added, not multiplied", 2)
    for factor, others in ((left, right), (right, left)):
        match others:
            case Apply() if factor.shape == others.argument.shape:
                inside = Apply(others.function, Multiply(factor, others.argument))
                words = f"{others.function.value} is applied after the product with {bare(factor)}"
                yield _Change(inside, words, 3)
            case MatrixVector() | VectorMatrix() if factor.shape == others.vector.shape:
                moved = replace(others, vector=Multiply(factor, others.vector))
                words = f"{bare(factor)} multiplies before {bare(others.matrix)} and not behind it"
                yield _Change(moved, words, 2)
            case Add() if factor.shape == others.shape:
                for inside_term, outside_term in ((others.left, others.right), (others.right, others.left)):
                    outside = Add(Multiply(factor, inside_term), outside_term)
                    yield _Change(outside, f"{bare(outside_term)} is outside of the product", 3)


def _other_products(node: MatrixVector | VectorMatrix, symbols: _Symbols) -> Iterator[_Change]:
    """Yield products whose operand is read without the matrix, or whose factor stands behind the matrix."""
    vector = node.vector
    yield from _functions_behind(node)
    if vector.shape == node.shape:
        yield _Change(vector, f"{bare(vector)} is not multiplied by {bare(node.matrix)}", 3)
    for gate in symbols.values:
        if gate.role is Role.INTERMEDIATE and gate.shape == vector.shape and gate not in set(variables(vector)):
            gated = replace(node, vector=Multiply(gate, vector))
            yield _Change(gated, f"{bare(vector)} is multiplied by {gate.name} before {bare(node.matrix)}", 4)
    if isinstance(vector, Multiply) and vector.shape == node.shape:
        for factor, operand in ((vector.left, vector.right), (vector.right, vector.left)):
            if factor.shape == node.shape == operand.shape:
                moved = Multiply(factor, replace(node, vector=operand))
                words = f"{bare(factor)} multiplies behind {bare(node.matrix)} and not before it"
                yield _Change(moved, words, 2)


def _functions_behind(node: MatrixVector | VectorMatrix) -> Iterator[_Change]:
    """Yield products in which a function of the operand, or of a factor of it, is applied behind the matrix instead."""
    vector = node.vector
    plain: list[tuple[Function, Node]] = []
    if isinstance(vector, Apply):
        plain.append((vector.function, vector.argument))
    elif isinstance(vector, Multiply):
        for factor, remaining in ((vector.left, vector.right), (vector.right, vector.left)):
            if isinstance(factor, Apply):
                plain.append((factor.function, Multiply(remaining, factor.argument)))
    for function, operand in plain:
        if function in _ACTIVATIONS and operand.shape == vector.shape:
            words = f"{function.value} is applied behind {bare(node.matrix)} and not before it"
            yield _Change(Apply(function, replace(node, vector=operand)), words, 3)


def _other_functions(node: Apply) -> Iterator[_Change]:
    """Yield another function, none, or one that is applied to the factors of its argument."""
    argument, function = node.argument, node.function
    for other in _ACTIVATIONS:
        if other is Function.IDENTITY:
            yield _Change(argument, f"{function.value} is left out", 1)
        elif other is not function:
            yield _Change(Apply(other, argument), f"{other.value} stands where {function.value} should", 1)
    if function not in (Function.RELU, Function.IDENTITY):  # which change nothing the second time
        yield _Change(Apply(function, node), f"{function.value} is applied twice", 4)
    if function is Function.SIGMOID:
        yield _Change(Subtract(_UNIT, node), f"1 - {bare(node)} stands where {bare(node)} should", 3)
    yield from _terms_outside(node)
    if isinstance(argument, Multiply):
        for factor, others in ((argument.left, argument.right), (argument.right, argument.left)):
            outside = Multiply(factor, Apply(function, others))
            yield _Change(outside, f"{function.value} is applied before the product with {bare(factor)}", 3)


def _terms_outside(node: Apply) -> Iterator[_Change]:
    """Yield a function of a sum to which one of the terms is added behind it."""
    terms = list(summands(node.argument))
    for place, term in enumerate(terms if node.function in _ACTIVATIONS else ()):
        others = [*terms[:place], *terms[place + 1 :]]
        if not others or term.shape not in ((), node.shape):
            continue
        inside = others[0]
        for other in others[1:]:
            inside = Add(inside, other)
        if inside.shape == node.shape:
            words = f"{bare(term)} is added behind {node.function.value} and not before it"
            yield _Change(Add(Apply(node.function, inside), term), words, 3)


def pairs(single: list[Rewrite]) -> Iterator[Rewrite]:
    """Yield programs with two mistakes in different equations, likely ones first.

    Args:
        single: The programs with one mistake.
    """
    most = max((rewrite.cost for rewrite in single), default=0)
    for total in range(2, 2 * most + 1):
        for place, first in enumerate(single):
            for second in single[place + 1 :]:
                if first.cost + second.cost != total or first.equations == second.equations:
                    continue
                joined = _joined(first, second)
                if joined is not None:
                    yield joined


def _joined(first: Rewrite, second: Rewrite) -> Rewrite | None:
    """Return the program with both mistakes; None where they are in one assignment."""
    base = {a.target.name: a.expression for a in first.program.assignments}
    program = first.program
    places = {a.target.name: number for number, a in enumerate(program.assignments)}
    if set(places) != {a.target.name for a in second.program.assignments}:
        return None
    for assignment in second.program.assignments:
        if assignment.equation in second.equations and base[assignment.target.name] != assignment.expression:
            program = with_expression(program, places[assignment.target.name], assignment.expression)
    program = in_order(program)
    equations, sentences = (*first.equations, *second.equations), (*first.sentences, *second.sentences)
    return Rewrite(program, equations, sentences, first.cost + second.cost)
