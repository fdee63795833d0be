"""Expressions as LaTeX, with as few parentheses as their meaning allows."""

from __future__ import annotations

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

_SUM, _PRODUCT, _ATOM = 0, 1, 2
_NAMES = {
    "sigmoid": "\\sigma",
    "tanh": "\\tanh",
    "log": "\\log",
    "softmax": "\\operatorname{softmax}",
    "relu": "\\operatorname{relu}",
    "identity": "\\operatorname{id}",
}


def variable_latex(variable: Variable) -> str:
    """A variable with its time as a subscript."""
    latex = variable.latex or variable.name.replace("_", "\\_")
    if variable.time is None:
        return latex
    time = "t" if variable.time == 0 else f"t{variable.time:+d}"
    return f"{{{latex}}}_{{{time}}}" if "_" in latex or "^" in latex else f"{latex}_{{{time}}}"


def to_latex(node: Node) -> str:
    """One formula's side."""
    return _write(node)[0]


def _at_least(node: Node, level: int) -> str:
    text, own = _write(node)
    return text if own >= level else f"\\left({text}\\right)"


def _write(node: Node) -> tuple[str, int]:
    match node:
        case Variable():
            return variable_latex(node), _ATOM
        case Constant():
            return str(node.value), _ATOM if node.value >= 0 else _SUM
        case Add():
            return f"{_at_least(node.left, _SUM)} + {_at_least(node.right, _SUM)}", _SUM
        case Subtract():
            if isinstance(node.left, Constant) and node.left.value == 0:
                return f"-{_at_least(node.right, _PRODUCT)}", _SUM
            return f"{_at_least(node.left, _SUM)} - {_at_least(node.right, _PRODUCT)}", _SUM
        case Multiply():
            sign = "\\odot" if node.left.shape and node.right.shape else "\\,"
            return f"{_at_least(node.left, _PRODUCT)} {sign} {_at_least(node.right, _PRODUCT)}", _PRODUCT
        case Divide():
            return f"\\frac{{{to_latex(node.left)}}}{{{to_latex(node.right)}}}", _ATOM
        case MatrixVector():
            return f"{_at_least(node.matrix, _ATOM)} {_at_least(node.vector, _ATOM)}", _PRODUCT
        case VectorMatrix():
            # A row vector times W is printed as the column it stands for: W^T x.
            matrix = node.matrix.matrix if isinstance(node.matrix, Transpose) else Transpose(node.matrix)
            return f"{_at_least(matrix, _ATOM)} {_at_least(node.vector, _ATOM)}", _PRODUCT
        case Transpose():
            inner = _at_least(node.matrix, _ATOM)
            return f"{{{inner}}}^{{T}}" if "^" in inner or "_" in inner else f"{inner}^{{T}}", _ATOM
        case Concatenate():
            return f"\\left[{', '.join(to_latex(part) for part in node.parts)}\\right]", _ATOM
        case Apply():
            return f"{_NAMES[node.function.value]}\\left({to_latex(node.argument)}\\right)", _ATOM
        case Component():
            return f"\\left({to_latex(node.vector)}\\right)_{{{node.index}}}", _ATOM
        case Outer():
            return f"{_at_least(node.left, _ATOM)}\\, {{{_at_least(node.right, _ATOM)}}}^{{T}}", _PRODUCT
        case Dot():
            return f"\\langle {to_latex(node.left)}, {to_latex(node.right)} \\rangle", _ATOM
        case Slice():
            return f"\\left({to_latex(node.vector)}\\right)_{{{node.start}:{node.stop}}}", _ATOM
        case Place():
            return f"{_at_least(node.scalar, _PRODUCT)}\\, e_{{{node.index}}}", _PRODUCT
