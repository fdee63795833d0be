"""Mistakes with what stands inside of a result: a part is read for the whole, or a symbol is overwritten too early."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.specs.expression import (
    Apply,
    Constant,
    MatrixVector,
    Node,
    Role,
    Variable,
    VectorMatrix,
    variables,
    walk,
)
from rnn_harness.specs.rewrite import substitute
from rnn_harness.validation.spec_search.change import Change, KnownSymbols
from rnn_harness.validation.spec_search.program_rewrites import bare, with_part


def parts_for_results(node: Variable, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield what a result is before its function, or another part of it, in the place of the result.

    Args:
        node: A symbol of an expression.
        symbols: What may be read by mistake.
    """
    result = symbols.results.get(node)
    if result is None or node not in symbols.values:
        return
    if isinstance(result, Apply):
        yield Change(result.argument, f"{node.name} is read without its {result.function.value}", 3)
    for part in dict.fromkeys(walk(result)):
        if part != result and part.shape == node.shape and not isinstance(part, Variable | Constant):
            yield Change(part, f"{bare(part)} stands where {bare(node)} should", 6)


def products_for_operands(node: Variable, symbols: KnownSymbols) -> Iterator[Change]:
    """Yield what a matrix of the program makes of an input or an old state in its place, as where it is projected once.

    Args:
        node: A symbol of an expression.
        symbols: What may be read by mistake.
    """
    if node.role not in (Role.INPUT, Role.STATE):
        return
    parts = dict.fromkeys(part for result in symbols.results.values() for part in walk(result))
    for part in parts:
        if isinstance(part, MatrixVector | VectorMatrix) and part.vector == node and part.shape == node.shape:
            yield Change(part, f"{bare(part)} stands where {bare(node)} should", 5)


def overwritten_symbols(expression: Node) -> Iterator[Change]:
    """Yield expressions that read a symbol after something computed from it was stored in its place.

    Args:
        expression: What an equation computes.
    """
    for part in dict.fromkeys(walk(expression)):
        if part == expression or isinstance(part, Variable | Constant):
            continue
        stored = Variable("#", part.shape, 0, Role.INTERMEDIATE)
        around = with_part(expression, part, stored)
        for symbol in dict.fromkeys(variables(part)):
            if symbol.role is Role.PARAMETER or symbol.shape != part.shape or symbol not in set(variables(around)):
                continue
            later = substitute(substitute(around, {symbol: stored}), {stored: part})
            yield Change(later, f"{bare(symbol)} is overwritten by {bare(part)}", 6)
