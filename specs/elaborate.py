"""Turn printed formulas into typed expressions: names get shapes, and products their meaning from the shapes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from rnn_harness.specs.composed import Composed, composed_function
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
from rnn_harness.specs.products import Factor, multiply_factors
from rnn_harness.specs.traversal import depth

__all__ = ["Context", "ElaborationError", "elaborate"]

_OPERATIONS: dict[str, Callable[[Node, Node], Node]] = {
    "+": Add,
    "\\oplus": Add,
    "-": Subtract,
    "/": Divide,
    "\\circ": Multiply,
    "\\odot": Multiply,
    "\\star": Multiply,
    "\\otimes": Multiply,
}


DEEPEST = 100
"""Operations inside each other that every arithmetic can follow; of the shipped equations none has 30."""


def elaborate(tree: Tree, context: Context) -> Node:
    """Turn one side of an equation into a typed expression.

    Args:
        tree: the side, as printed.
        context: the symbols it may use; the meanings of its product signs are added to it.

    Raises:
        ElaborationError: for a name that is not declared, shapes that do not fit, or a form that no step has.
    """
    try:
        node = _elaborate(tree, context)
    except RecursionError:
        raise ElaborationError("syntax", "more operations inside each other than can be followed") from None
    if depth(node) > DEEPEST:
        raise ElaborationError(
            "syntax",
            f"{depth(node)} operations inside each other (each term of a sum is one); expected {DEEPEST} at most",
        )
    return node


def _elaborate(tree: Tree, context: Context) -> Node:
    """Elaborate a part of a side, with its column in the error. Raises ElaborationError."""
    try:
        return _node(tree, context)
    except ShapeError as error:
        raise ElaborationError("shape", str(error), tree.column) from None


def _node(tree: Tree, context: Context) -> Node:
    """Build the node for a part of a side. Raises ElaborationError, ShapeError."""
    match tree:
        case Name():
            return _squared(tree, context) or context.variable(tree)
        case Number():
            return Constant(tree.value)
        case Negative():
            return Subtract(Constant(Fraction(0)), _elaborate(tree.body, context))
        case Binary() if tree.sign in _OPERATIONS:
            operands = _elaborate(tree.left, context), _elaborate(tree.right, context)
            if tree.sign == "/" and _constant(operands[1]) == 0:
                raise ElaborationError(
                    "syntax", "a division by 0: the divisor is 0 whatever its symbols are", tree.column
                )
            return _checked(_OPERATIONS[tree.sign](*operands))
        case Binary():
            return _checked(multiply_factors(_factors(tree, context), context.product_signs))
        case Call():
            return _apply(tree.function, tree.argument, tree.column, context)
        case Bracket():
            parts = tuple(_elaborate(item, context) for item in tree.items)
            return parts[0] if len(parts) == 1 else _concatenated(parts)
        case Tuple() | Derivative() | Total():
            form = type(tree).__name__.lower()
            raise ElaborationError("syntax", f"a {form} cannot stand in the equation of a step", tree.column)


def _constant(node: Node) -> Fraction | None:
    """Return the number that an expression is whatever its symbols are; None where it depends on one."""
    if isinstance(node, Constant):
        return node.value
    if not isinstance(node, Add | Subtract | Multiply | Divide):
        return None
    if isinstance(node, Subtract) and node.left == node.right:
        return Fraction(0)
    left, right = _constant(node.left), _constant(node.right)
    if isinstance(node, Multiply) and 0 in (left, right):
        return Fraction(0)
    if left is None or right is None:
        return None
    match node:
        case Add():
            return left + right
        case Subtract():
            return left - right
        case Multiply():
            return left * right
    return left / right


def _squared(name: Name, context: Context) -> Node | None:
    """Return the square that ``x^2`` stands for where no symbol of that name is declared; None for other names."""
    if name.sup != "2" or context.denote(name).name in context.shapes:
        return None
    variable = context.variable(Name(name.base, name.accent, name.sub, "", name.direction, name.column))
    return Multiply(variable, variable)


def _apply(letter: str, argument: Tree, column: int, context: Context) -> Node:
    """Apply the function that a letter or a word stands for. Raises ElaborationError."""
    composed = _COMPOSED.get(letter)
    if composed is not None and context.functions.get(letter) is None:
        arguments = argument.items if isinstance(argument, Tuple) else (argument,)
        return composed_function(composed, letter, tuple(_elaborate(item, context) for item in arguments), column)
    function = context.function(letter)
    if function is None:
        message = f"function {letter} has no meaning here: declare it under [functions]"
        raise ElaborationError("undeclared symbol", message, column)
    return Apply(function, _elaborate(argument, context))


_COMPOSED = {
    "max": Composed.MAXIMUM,
    "min": Composed.MINIMUM,
    "abs": Composed.ABSOLUTE,
    "LN": Composed.LAYER_NORM,
    "LayerNorm": Composed.LAYER_NORM,
    "hardtanh": Composed.HARD_TANH,
    "hardsigmoid": Composed.HARD_SIGMOID,
    "silu": Composed.SILU,
    "SiLU": Composed.SILU,
}


def _factors(tree: Binary, context: Context) -> list[Factor]:
    """Return the factors of ``a b * c`` in order; ``f(x)`` is one factor if f is a function."""
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
    return [Factor(sign, _elaborate(part, context) if isinstance(part, trees) else part) for sign, part in rows]


def _concatenated(parts: tuple[Node, ...]) -> Node:
    """Concatenate vectors that all have a batch axis, or that all are parameters and have none. Raises ShapeError."""
    fixed = [all(variable.role is Role.PARAMETER for variable in variables(part)) for part in parts]
    if any(fixed) and not all(fixed):
        part = parts[fixed.index(True)]
        raise ShapeError(f"concatenation: {describe(part)} is the same in every row of a batch, the rest is not")
    return Concatenate(parts)


def _checked(node: Node) -> Node:
    """Return the node, unless it is a matrix that differs from row to row of a batch. Raises ShapeError.

    Such a matrix has no product in the arithmetics.
    """
    if len(node.shape) == 2:
        for variable in variables(node):
            if variable.role is not Role.PARAMETER:
                raise ShapeError(f"{describe(node)} is a matrix that changes with {variable}")
    return node
