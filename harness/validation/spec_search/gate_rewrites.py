"""Mistakes with gates: one on a term that has none, one that counts twice, shares that make one in all."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.specs.expression import (
    Add,
    Apply,
    MatrixVector,
    Multiply,
    Node,
    Role,
    Subtract,
    Variable,
    VectorMatrix,
    variables,
    walk,
)
from rnn_harness.validation.spec_search.change import ACTIVATIONS, UNIT, Change, KnownSymbols
from rnn_harness.validation.spec_search.program_rewrites import bare


def gated_terms(node: Add, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield sums of which one term is multiplied by a gate, or its complement, that does not belong there.

    Args:
        node: A sum.
        symbols: What may be read by mistake.
    """
    for term, further in ((node.left, node.right), (node.right, node.left)):
        if isinstance(term, Add):  # its terms are tried where that sum is
            continue
        yield from _mixtures(term, further)
        cost = 4 if isinstance(term, MatrixVector | VectorMatrix) else 5
        for gate in symbols.values:
            if gate.role is Role.INTERMEDIATE and gate.shape == term.shape and gate not in set(variables(term)):
                for factor in (gate, Subtract(UNIT, gate)):
                    gated = Add(Multiply(factor, term), further)
                    yield Change(gated, f"{bare(term)} is multiplied by {bare(factor)}", cost)


def gated_argument(node: Apply, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield a function whose whole argument is multiplied by a gate that does not belong there.

    Args:
        node: A function of an expression.
        symbols: What may be read by mistake.
    """
    argument = node.argument
    for gate in symbols.values if node.function in ACTIVATIONS else ():
        if gate.role is Role.INTERMEDIATE and gate.shape == argument.shape and gate not in set(variables(argument)):
            gated = Apply(node.function, Multiply(gate, argument))
            yield Change(gated, f"{bare(argument)} is multiplied by {gate.name}", 5)


def _mixtures(term: Node, further: Node) -> Iterator[Change]:
    """Yield sums whose terms have shares of one in all: what is added is then mixed in."""
    for share in (further.left, further.right) if isinstance(further, Multiply) else ():
        if share.shape in ((), term.shape) and not isinstance(share, Subtract) and share not in set(walk(term)):
            mixed = Add(Multiply(Subtract(UNIT, share), term), further)
            yield Change(mixed, f"{bare(term)} is multiplied by 1 - {bare(share)}", 4)


def complement_inside(node: Subtract, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield a gate of one less its argument in the place of one less the gate.

    Args:
        node: A difference.
        symbols: What gives each result.
    """
    gate = symbols.results.get(node.right) if isinstance(node.right, Variable) else node.right
    is_known = not isinstance(node.right, Variable) or node.right in symbols.values
    if node.left == UNIT and is_known and isinstance(gate, Apply) and gate.function in ACTIVATIONS:
        inside = Apply(gate.function, Subtract(UNIT, gate.argument))
        words = f"1 less the argument of {gate.function.value} stands where 1 less {bare(node.right)} should"
        yield Change(inside, words, 3)


def gate_counted_twice(node: Variable) -> Iterator[Change]:
    """Yield the square of a gate in its place.

    Args:
        node: A symbol of an expression.
    """
    if node.role is Role.INTERMEDIATE and node.shape:
        yield Change(Multiply(node, node), f"{node.name} is squared", 5)
