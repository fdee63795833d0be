"""Faults as rewrites of a program's expressions, each with a sentence made of the spec's own symbols."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from rnn_harness.specs.expression import (
    Add,
    Apply,
    Concatenate,
    Constant,
    Divide,
    Dot,
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
    walk,
)
from rnn_harness.specs.program import Assignment, Program
from rnn_harness.specs.rewrite import replace_children
from rnn_harness.validation.spec_search.added_terms import added_biases, added_inside, added_to_results
from rnn_harness.validation.spec_search.change import UNIT, ZERO, Change, KnownSymbols
from rnn_harness.validation.spec_search.function_rewrites import functions_behind, other_functions
from rnn_harness.validation.spec_search.gate_rewrites import (
    complement_inside,
    gate_counted_twice,
    gated_argument,
    gated_terms,
)
from rnn_harness.validation.spec_search.normalisation_rewrites import (
    factor_before_normalisation,
    other_normalisations,
    without_normalisation,
)
from rnn_harness.validation.spec_search.part_rewrites import (
    overwritten_symbols,
    parts_for_results,
    products_for_operands,
)
from rnn_harness.validation.spec_search.piecewise_functions import clipped, positive
from rnn_harness.validation.spec_search.program_differences import Difference, Differences, with_expression
from rnn_harness.validation.spec_search.program_rewrites import bare, in_order, program_changes
from rnn_harness.validation.spec_search.repeated_rewrites import repeated_changes
from rnn_harness.validation.spec_search.sum_rewrites import other_terms
from rnn_harness.validation.spec_search.value_ranges import is_never_negative, is_within_one

SHARES = (Fraction(1, 2), Fraction(7, 10), Fraction(4, 5), Fraction(9, 10), Fraction(2))
"""What is left on a gate or a candidate: shares that dropout keeps, and a factor of two."""


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


@functools.lru_cache(maxsize=8)  # a program is asked for them once for each thing that is known of a target
def rewrites(program: Program) -> tuple[Rewrite, ...]:
    """List the programs that differ from one by a single mistake, likely ones first.

    Args:
        program: The right program.
    """
    listed: dict[Difference, Rewrite] = {}
    differences = Differences(program)
    results = {a.target: a.expression for a in program.assignments}
    readers = Counter(symbol for a in program.assignments for symbol in set(variables(a.expression)))
    read_often = frozenset(symbol for symbol, count in readers.items() if count > 1)
    for number, assignment in enumerate(program.assignments):
        applied = tuple(dict.fromkeys(node for node in walk(assignment.expression) if isinstance(node, Apply)))
        symbols = KnownSymbols(tuple(_known_values(program, number)), program.parameters, applied, results, read_often)
        for change in (*_changes(assignment.expression, symbols), *_whole_changes(assignment, symbols)):
            if change.expression.shape != assignment.target.shape:
                continue
            difference = differences.of_one(number, change.expression)
            known = listed.get(difference)
            if known is None or change.cost < known.cost:
                rewritten = differences.program_with(number, change.expression)
                listed[difference] = Rewrite(rewritten, (assignment.equation,), (change.words,), change.cost)
    for whole in (*program_changes(program), *added_biases(program), *repeated_changes(program)):
        rewrite = Rewrite(whole.program, whole.equations, whole.sentences, whole.cost)
        listed.setdefault(differences.of(whole.program), rewrite)
    listed.pop(differences.of(program), None)
    return tuple(sorted(listed.values(), key=lambda rewrite: rewrite.cost))


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


def _whole_changes(assignment: Assignment, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield what may be wrong with a whole result."""
    expression, name = assignment.expression, assignment.target.name
    bounded = (Function.TANH, Function.SIGMOID)
    functions = bounded if is_never_negative(expression, symbols.results) else (*bounded, Function.RELU)
    if assignment.target.role is Role.STATE:
        if not isinstance(expression, Apply):
            for function in functions:
                yield Change(Apply(function, expression), f"{name} goes through {function.value}", 4)
            if not is_within_one(expression, symbols.results):
                yield Change(clipped(expression), f"{name} is clipped to [-1, 1]", 5)
        for gate in symbols.values:
            if gate.role is Role.INTERMEDIATE and gate.shape == expression.shape:
                yield Change(Multiply(gate, expression), f"{name} is multiplied by {gate.name}", 5)
    elif not isinstance(expression, Apply) and expression.shape:
        for function in functions:
            yield Change(Apply(function, expression), f"{name} goes through {function.value}", 4)
        yield Change(positive(expression), f"{name} goes through the positive function x + 1/2, or sigmoid below 0", 5)
    for share in SHARES if expression.shape and isinstance(expression, Apply) else ():
        yield Change(Multiply(Constant(share), expression), f"{name} is multiplied by {share}", 5)
    if expression.shape and not isinstance(expression, Variable):
        yield Change(Apply(Function.MEAN, expression), f"{name} is the mean over the units", 6)
    yield from added_to_results(assignment, symbols)
    yield from overwritten_symbols(expression)
    for other in symbols.values if assignment.target in symbols.read_often else ():
        if other.role is Role.INTERMEDIATE and other.shape == expression.shape and other != expression:
            yield Change(other, f"{other.name} is taken for {name}", 3)
    yield from _without_divisors(expression)


def _without_divisors(expression: Node) -> Iterator[Change]:
    """Yield an expression without something by which it divides more than once."""
    divisors = [node.right for node in walk(expression) if isinstance(node, Divide)]
    for divisor in dict.fromkeys(divisor for divisor in divisors if divisors.count(divisor) > 1):
        yield Change(_undivided(expression, divisor), f"nothing is divided by {bare(divisor)}", 3)


def _undivided(node: Node, divisor: Node) -> Node:
    """Return an expression without any division by something."""
    if isinstance(node, Divide) and node.right == divisor:
        return _undivided(node.left, divisor)
    return replace_children(node, lambda child: _undivided(child, divisor))


def _changes(node: Node, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield every single change of an expression."""
    yield from _local(node, symbols)
    for place, child in enumerate(node.children):
        for change in _changes(child, symbols):
            rebuilt = with_child(node, place, change.expression)
            if rebuilt is not None:
                yield replace(change, expression=rebuilt)


def with_child(node: Node, place: int, child: Node) -> Node | None:
    """Return a node with another child; None where its shape does not fit.

    Args:
        node: The node; not changed.
        place: The number of the child, in reading order.
        child: What takes its place.
    """
    children = list(node.children)
    children[place] = child
    following = iter(children)
    try:
        return replace_children(node, lambda _: next(following))
    except ShapeError:
        return None


def _local(node: Node, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield the changes of one node, its children left as they are; those that fit no shape are left out."""
    match node:
        case Variable():
            yield from _other_symbols(node, symbols)
            yield from gate_counted_twice(node)
        case Add():
            yield from other_terms(node)
            yield from _results_for_sums(node, symbols)
            yield from gated_terms(node, symbols)
            yield from without_normalisation(node)
        case Subtract():
            yield from other_terms(node)
            yield from complement_inside(node, symbols)
        case Multiply():
            yield from _other_factors(node)
            yield from other_normalisations(node)
            yield from factor_before_normalisation(node)
            yield from without_normalisation(node)
        case Divide():
            yield Change(node.left, f"{bare(node.left)} is not divided by {bare(node.right)}", 2)
            yield Change(node.right, f"{bare(node.right)} stands where {bare(node)} should", 3)
            yield Change(Divide(node.right, node.left), f"{bare(node)} is turned over", 3)
            yield Change(Apply(Function.TANH, node), f"tanh is applied to {bare(node)}", 5)
        case MatrixVector() | VectorMatrix():
            yield from _other_products(node, symbols)
        case Apply():
            yield from other_functions(node)
            yield from _symbols_for_results(node, symbols)
            yield from _functions_of_the_same_equation(node, symbols)
            yield from gated_argument(node, symbols)
            yield from added_inside(node, symbols)


def _other_symbols(node: Variable, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield another symbol of the same shape, another time, or the complement."""
    if node.role is Role.PARAMETER:
        for other in symbols.parameters:
            if other.shape == node.shape and other != node:
                yield Change(other, f"{other.name} stands where {node.name} should", 1)
        if len(node.shape) == 2 and node.shape[0] == node.shape[1]:
            yield Change(Transpose(node), f"{node.name} is transposed", 1)
        return
    for other in symbols.values:
        if other.shape == node.shape and other != node:
            yield Change(other, f"{bare(other)} stands where {bare(node)} should", 2)
    yield from parts_for_results(node, symbols)
    yield from products_for_operands(node, symbols)
    if node.role is Role.INTERMEDIATE:
        yield Change(Subtract(UNIT, node), f"1 - {node.name} stands where {node.name} should", 2)
        for other in symbols.values:
            if other.shape == node.shape and other != node and other.role is Role.INTERMEDIATE:
                yield Change(Subtract(UNIT, other), f"1 - {other.name} stands where {node.name} should", 4)
    if node.role in (Role.STATE, Role.INTERMEDIATE) and node.shape:
        cost = 4 if node.role is Role.STATE else 5
        yield Change(Apply(Function.TANH, node), f"tanh is applied to {bare(node)}", cost)


def _symbols_for_results(node: Node, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield a symbol in the place of what is computed where it is read; of a gate that is a number, another one."""
    if isinstance(node, Apply) and isinstance(node.argument, Variable) and node.argument.role is Role.PARAMETER:
        for parameter in symbols.parameters:
            if parameter.shape == node.shape and parameter != node.argument:
                other_gate = Apply(node.function, parameter)
                words = f"1 - {bare(other_gate)} stands where {bare(node)} should"
                yield Change(Subtract(UNIT, other_gate), words, 3)
    for other in symbols.values:
        if other.shape == node.shape:
            yield Change(other, f"{bare(other)} stands where {bare(node)} should", 5)


def _results_for_sums(node: Add, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield a result in the place of a sum, as where the sum was overwritten by what is computed from it."""
    for other in symbols.values:
        if other.shape == node.shape and other.role is Role.INTERMEDIATE and other not in set(variables(node)):
            yield Change(other, f"{bare(other)} stands where {bare(node)} should", 5)


def _functions_of_the_same_equation(node: Apply, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield the same function of something else in its equation: what is computed once is then read twice."""
    for applied in symbols.applied:
        if applied.function is node.function and applied != node and applied.shape == node.shape:
            yield Change(applied, f"{bare(applied)} stands where {bare(node)} should", 3)


def _other_factors(node: Multiply) -> Iterator[Change]:
    """Yield products in which a factor is dropped, added, or stands before a function or a matrix and not behind it."""
    left, right = node.left, node.right
    for factor, others in ((left, right), (right, left)):
        if (
            others.shape in ((), node.shape) and factor != UNIT
        ):  # what is left of a product with a number may be spread again
            yield Change(others, f"{bare(others)} is not multiplied by {bare(factor)}", 1)
    if left.shape == right.shape:
        yield Change(Add(left, right), f"{bare(left)} and {bare(right)} are added, not multiplied", 2)
    if len(left.shape) == 1 and left.shape == right.shape and Role.PARAMETER in (_role(left), _role(right)):
        yield Change(Dot(left, right), f"{bare(node)} is an inner product", 5)
    for factor, others in ((left, right), (right, left)):
        match others:
            case Apply() if factor.shape in ((), others.argument.shape) and factor != UNIT:
                inside = Apply(others.function, Multiply(factor, others.argument))
                words = f"{others.function.value} is applied after the product with {bare(factor)}"
                yield Change(inside, words, 3)
            case MatrixVector() | VectorMatrix() if factor.shape == others.vector.shape:
                moved = replace(others, vector=Multiply(factor, others.vector))
                words = f"{bare(factor)} multiplies before {bare(others.matrix)} and not behind it"
                yield Change(moved, words, 2)
            case Add() if factor.shape in ((), others.shape):
                for inside_term, outside_term in ((others.left, others.right), (others.right, others.left)):
                    outside = Add(Multiply(factor, inside_term), outside_term)
                    yield Change(outside, f"{bare(outside_term)} is outside of the product", 3)
            case Subtract() if factor.shape in ((), others.shape):
                first, second = others.left, others.right
                outside_first = Subtract(first, Multiply(factor, second))
                yield Change(outside_first, f"{bare(first)} is outside of the product with {bare(factor)}", 3)
                outside_second = Subtract(Multiply(factor, first), second)
                yield Change(outside_second, f"{bare(second)} is outside of the product with {bare(factor)}", 3)


def _role(node: Node) -> Role | None:
    return node.role if isinstance(node, Variable) else None


def _other_products(node: MatrixVector | VectorMatrix, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield products whose operand is read without the matrix, or whose factor stands behind the matrix."""
    vector = node.vector
    yield from functions_behind(node)
    yield from _symbols_for_results(node, symbols)
    yield from _parts_of_other_matrices(node, symbols)
    if vector.shape == node.shape:
        yield Change(vector, f"{bare(vector)} is not multiplied by {bare(node.matrix)}", 3)
    for gate in symbols.values:
        if gate.role is Role.INTERMEDIATE and gate.shape == vector.shape and gate not in set(variables(vector)):
            gated = replace(node, vector=Multiply(gate, vector))
            yield Change(gated, f"{bare(vector)} is multiplied by {gate.name} before {bare(node.matrix)}", 4)
    if isinstance(vector, Multiply) and vector.shape == node.shape:
        for factor, operand in ((vector.left, vector.right), (vector.right, vector.left)):
            if factor.shape == node.shape == operand.shape:
                moved = Multiply(factor, replace(node, vector=operand))
                words = f"{bare(factor)} multiplies behind {bare(node.matrix)} and not before it"
                yield Change(moved, words, 2)


def _parts_of_other_matrices(node: MatrixVector | VectorMatrix, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield products in which one of the joined operands is multiplied by its part of another matrix."""
    if not isinstance(node.vector, Concatenate):
        return
    parts = node.vector.parts
    for other in symbols.parameters:
        if other.shape != node.matrix.shape or other == node.matrix:
            continue
        for place, part in enumerate(parts):
            alone = Concatenate(tuple(p if i == place else Multiply(ZERO, p) for i, p in enumerate(parts)))
            others = Concatenate(tuple(Multiply(ZERO, p) if i == place else p for i, p in enumerate(parts)))
            mixed = Add(replace(node, vector=others), replace(node, matrix=other, vector=alone))
            words = f"the part of {other.name} for {bare(part)} stands where that of {bare(node.matrix)} should"
            yield Change(mixed, words, 2)


def pairs(single: Sequence[Rewrite]) -> Iterator[Rewrite]:
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
