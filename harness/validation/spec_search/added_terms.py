"""Mistakes in which something is added that does not belong: a state, an input, another result, or a bias."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnn_harness.specs.expression import (
    Add,
    Apply,
    MatrixVector,
    Node,
    Role,
    Subtract,
    Variable,
    VectorMatrix,
)
from rnn_harness.specs.program import Assignment, Program
from rnn_harness.validation.spec_search.change import ACTIVATIONS, Change, KnownSymbols
from rnn_harness.validation.spec_search.program_rewrites import (
    ProgramChange,
    bare,
    summands,
    with_assignments,
)

EXTRA = "bias"
"""The name of a bias that a spec does not have."""


def added_inside(node: Apply, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield a function to whose argument something is added that does not belong there.

    Args:
        node: A function of an expression.
        symbols: What may be read by mistake.
    """
    terms = set(summands(node.argument))
    for value in symbols.values if node.function in ACTIVATIONS else ():
        if value.shape == node.shape and value not in terms:
            inside = Apply(node.function, Add(node.argument, value))
            yield Change(inside, f"{bare(value)} is added inside of {node.function.value}", 5)


def added_to_results(assignment: Assignment, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield results to which an old state or an input is added, as where a layer has a residual connection.

    Args:
        assignment: What computes the result.
        symbols: What may be read by mistake.
    """
    target, expression = assignment.target, assignment.expression
    for value in symbols.values:
        is_old = value.role is Role.STATE and value.time == -1
        if value.shape == target.shape and (is_old or value.role is Role.INPUT) and value not in _terms(expression):
            cost = 5 if value == target.at(-1) else 6
            yield Change(Add(expression, value), f"{bare(value)} is added to {bare(target)}", cost)


def _terms(node: Node) -> set[Node]:
    """Return what a sum or a difference adds up."""
    if isinstance(node, Add | Subtract):
        return _terms(node.left) | _terms(node.right)
    return {node}


def added_biases(program: Program) -> Iterator[ProgramChange]:
    """Yield programs with a bias more than they should have, in a sum that has none.

    Args:
        program: The right program, of one pass.
    """
    if EXTRA in {variable.name for variable in program.parameters}:
        return
    for number, assignment in enumerate(program.assignments):
        expression = assignment.expression
        argument = expression.argument if isinstance(expression, Apply) else expression
        terms = list(summands(argument))
        are_products = all(isinstance(term, MatrixVector | VectorMatrix) for term in terms)
        if not are_products or len(argument.shape) != 1:
            continue
        bias = Variable(EXTRA, argument.shape, None, Role.PARAMETER)
        biased: Node = Add(argument, bias)
        changed = list(program.assignments)
        biased = Apply(expression.function, biased) if isinstance(expression, Apply) else biased
        changed[number] = replace(assignment, expression=biased)
        wider = replace(program, parameters=(*program.parameters, bias))
        words = f"a bias is added in {bare(assignment.target)}"
        yield ProgramChange(with_assignments(wider, tuple(changed)), (assignment.equation,), (words,), 4)
