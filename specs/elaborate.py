"""From what is printed to what is computed: names get shapes, products get their meaning from them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from rnn_harness.specs.context import Context, ElaborationError
from rnn_harness.specs.expression import (
    Add,
    Apply,
    Concatenate,
    Constant,
    Divide,
    Multiply,
    Node,
    Role,
    ShapeError,
    Subtract,
    describe,
    variables,
)
from rnn_harness.specs.notation import (
    Binary,
    Bracket,
    Call,
    Derivative,
    Name,
    Negative,
    Number,
    Total,
    Tree,
    Tuple,
)
from rnn_harness.specs.products import Factor, multiply

__all__ = ["Context", "ElaborationError", "elaborate"]

_OPERATIONS: dict[str, Callable[[Node, Node], Node]] = {
    "+": Add,
    "\\oplus": Add,
    "-": Subtract,
    "/": Divide,
    "\\circ": Multiply,
    "\\odot": Multiply,
    "\\otimes": Multiply,
}


def elaborate(tree: Tree, context: Context) -> Node:
    """The typed expression of one side. Raises ElaborationError."""
    try:
        return _elaborate(tree, context)
    except RecursionError:
        raise ElaborationError("syntax", "more operations inside each other than can be followed") from None


def _elaborate(tree: Tree, context: Context) -> Node:
    try:
        return _node(tree, context)
    except ShapeError as error:
        raise ElaborationError("shape", str(error), tree.column) from None


def _node(tree: Tree, context: Context) -> Node:
    match tree:
        case Name():
            return context.variable(tree)
        case Number():
            return Constant(tree.value)
        case Negative():
            return Subtract(Constant(Fraction(0)), _elaborate(tree.body, context))
        case Binary() if tree.sign in _OPERATIONS:
            left, right = _elaborate(tree.left, context), _elaborate(tree.right, context)
            return _checked(_OPERATIONS[tree.sign](left, right))
        case Binary():
            return _checked(multiply(_factors(tree, context), context.stars))
        case Call():
            return _apply(tree.function, tree.argument, tree.column, context)
        case Bracket():
            parts = tuple(_elaborate(item, context) for item in tree.items)
            return parts[0] if len(parts) == 1 else _concatenated(parts)
        case Tuple() | Derivative() | Total():
            kind = type(tree).__name__.lower()
            raise ElaborationError("syntax", f"a {kind} cannot stand in the equation of a step", tree.column)


def _apply(function: str, argument: Tree, column: int, context: Context) -> Node:
    found = context.function(function)
    if found is None:
        message = f"function {function} has no meaning here: declare it under [functions]"
        raise ElaborationError("undeclared symbol", message, column)
    return Apply(found, _elaborate(argument, context))


def _factors(tree: Binary, context: Context) -> list[Factor]:
    """The factors of ``a b * c``, in order, each with the sign before it; ``f(x)`` is one factor if f is a function."""
    links: list[Binary] = []
    first: Tree = tree
    while isinstance(first, Binary) and first.sign not in _OPERATIONS:
        links.append(first)
        first = first.left
    rows: list[tuple[str, Tree | Node]] = [("", first)]
    for link in reversed(links):
        sign, before = rows[-1]
        if link.parenthesised and isinstance(before, Name) and context.names_function(before):
            name = context.denote(before).name
            rows[-1] = (sign, _apply(name, link.right, before.column, context))
        else:
            rows.append((link.sign, link.right))
    trees = (Name, Number, Binary, Negative, Call, Bracket, Tuple, Derivative, Total)
    return [Factor(sign, _elaborate(one, context) if isinstance(one, trees) else one) for sign, one in rows]


def _concatenated(parts: tuple[Node, ...]) -> Node:
    """Parameters have no batch axis, values do: the arithmetics put only like beside like."""
    fixed = [all(variable.role is Role.PARAMETER for variable in variables(part)) for part in parts]
    if any(fixed) and not all(fixed):
        part = parts[fixed.index(True)]
        raise ShapeError(f"concatenation: {describe(part)} is the same in every row of a batch, the rest is not")
    return Concatenate(parts)


def _checked(node: Node) -> Node:
    """A matrix may be made of parameters only: one that differs from row to row of a batch has no product here."""
    if len(node.shape) == 2:
        for variable in variables(node):
            if variable.role is not Role.PARAMETER:
                raise ShapeError(f"{describe(node)} is a matrix that changes with {variable}")
    return node
