"""Write expressions as a line of Python would: ``sigmoid(W_xz.T @ x[t] + W_hz.T @ h[t-1] + b_z)``."""

from __future__ import annotations

from rnn_harness.specs.dimensions import Dimension
from rnn_harness.specs.expression import (
    Add,
    Apply,
    Component,
    Concatenate,
    Constant,
    Divide,
    Dot,
    MatrixVector,
    Multiply,
    Node,
    Outer,
    Place,
    Slice,
    Subtract,
    Transpose,
    Variable,
    VectorMatrix,
)
from rnn_harness.specs.program import Assignment

_SUM, _PRODUCT, _ATOM = 0, 1, 2


def assignment_text(assignment: Assignment) -> str:
    """Write an assignment: its target, ``=``, its expression.

    Args:
        assignment: one equation of a program.
    """
    return f"{_variable(assignment.target)} = {to_plain_text(assignment.expression)}"


def to_plain_text(node: Node) -> str:
    """Write an expression; ``@`` is a matrix product, ``*`` multiplies entry by entry.

    Args:
        node: the root of the expression.
    """
    return _write(node)[0]


def _variable(variable: Variable) -> str:
    """Write a variable with its time in brackets."""
    if variable.time is None:
        return variable.name
    return f"{variable.name}[t]" if variable.time == 0 else f"{variable.name}[t{variable.time:+d}]"


def _at_least(node: Node, level: int) -> str:
    """Write a node, in parentheses where it binds less tightly than `level`."""
    text, binding = _write(node)
    return text if binding >= level else f"({text})"


def _write(node: Node) -> tuple[str, int]:
    """Write a node, and return how tightly it binds, from `_SUM` to `_ATOM`."""
    match node:
        case Variable():
            return _variable(node), _ATOM
        case Constant():
            return str(node.value), _ATOM if node.value >= 0 and node.value.denominator == 1 else _SUM
        case Add():
            return f"{_at_least(node.left, _SUM)} + {_at_least(node.right, _SUM)}", _SUM
        case Subtract():
            if isinstance(node.left, Constant) and node.left.value == 0:
                return f"-{_at_least(node.right, _PRODUCT)}", _SUM
            return f"{_at_least(node.left, _SUM)} - {_at_least(node.right, _PRODUCT)}", _SUM
        case Multiply():
            return f"{_at_least(node.left, _PRODUCT)} * {_at_least(node.right, _ATOM)}", _PRODUCT
        case Divide():
            return f"{_at_least(node.left, _PRODUCT)} / {_at_least(node.right, _ATOM)}", _PRODUCT
        case MatrixVector():
            return f"{_at_least(node.matrix, _ATOM)} @ {_at_least(node.vector, _ATOM)}", _PRODUCT
        case VectorMatrix():
            return f"{_at_least(node.vector, _ATOM)} @ {_at_least(node.matrix, _ATOM)}", _PRODUCT
        case _:
            return _call(node), _ATOM


def _call(node: Node) -> str:
    """Write what reads as a call, an attribute or an index."""
    match node:
        case Transpose():
            return f"{_at_least(node.matrix, _ATOM)}.T"
        case Concatenate():
            return f"concat({', '.join(map(to_plain_text, node.parts))})"
        case Apply():
            return f"{node.function.value}({to_plain_text(node.argument)})"
        case Component():
            return f"{_at_least(node.vector, _ATOM)}[{node.index}]"
        case Outer():
            return f"outer({to_plain_text(node.left)}, {to_plain_text(node.right)})"
        case Dot():
            return f"dot({to_plain_text(node.left)}, {to_plain_text(node.right)})"
        case Slice():
            return f"{_at_least(node.vector, _ATOM)}[{_size(node.start)}:{_size(node.stop)}]"
        case Place():
            return f"one_hot({node.index}) * {_at_least(node.scalar, _ATOM)}"
        case _:
            raise AssertionError(f"{type(node).__name__} is written by its operator")


def _size(size: Dimension) -> str:
    """Write a symbolic size."""
    return str(size)
