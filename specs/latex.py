"""Write expressions in LaTeX, with as few parentheses as their meaning allows."""

from __future__ import annotations

import re

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

_SUM, _ENTRYWISE, _PRODUCT, _ATOM = 0, 1, 2, 3
_TIMED = re.compile(r"(^|,)t([+-]\d+)?$")
_NAMES = {
    "sigmoid": "\\sigma",
    "tanh": "\\tanh",
    "log": "\\log",
    "softmax": "\\operatorname{softmax}",
    "relu": "\\operatorname{relu}",
    "step": "\\operatorname{step}",
    "exp": "\\exp",
    "softplus": "\\operatorname{softplus}",
    "softplus_slope": "\\sigma",
    "sqrt": "\\operatorname{sqrt}",
    "mean": "\\operatorname{mean}",
    "inverse_deviation": "\\operatorname{invstd}",
    "identity": "\\operatorname{id}",
}


def _split(latex: str) -> tuple[str, str, str]:
    """Split a name into core, subscript and superscript: ``U_{g}^{out}`` is U, g, out."""
    scripts = {"_": "", "^": ""}
    while latex.endswith("}"):
        depth = 0
        for place in range(len(latex) - 1, -1, -1):
            depth += {"}": 1, "{": -1}.get(latex[place], 0)
            if depth == 0:
                break
        sign = latex[place - 1 : place]
        if sign not in scripts or scripts[sign]:
            break
        scripts[sign] = latex[place + 1 : -1]
        latex = latex[: place - 1]
    return latex, scripts["_"], scripts["^"]


def decorated(latex: str, accent: str = "", below: str = "", above: str = "") -> str:
    r"""Add an accent and labels to a name.

    Args:
        latex: the name.
        accent: the command of the accent, such as ``\\bar``; "" for none.
        below: what is added to the subscript.
        above: what is added to the superscript.
    """
    core, sub, sup = _split(latex)
    core = f"{accent}{{{core}}}" if accent else core
    sub = ",".join(part for part in (sub, below) if part)
    sup = ",".join(part for part in (sup, above) if part)
    return core + (f"_{{{sub}}}" if sub else "") + (f"^{{{sup}}}" if sup else "")


def variable_latex(variable: Variable) -> str:
    """Write a variable with its time in its subscript, unless its name contains a time.

    Args:
        variable: its plain name stands in where it has no LaTeX.
    """
    latex = variable.latex or variable.name.replace("_", "\\_")
    if variable.time is None or _TIMED.search(_split(latex)[1]):
        return latex
    return decorated(latex, below="t" if variable.time == 0 else f"t{variable.time:+d}")


def _transposed(text: str, level: int) -> str:
    """Transpose a formula that binds at a level, in parentheses where it needs them."""
    if level < _ATOM:
        return f"\\left({text}\\right)^{{T}}"
    return f"{{{text}}}^{{T}}" if _split(text)[2] else f"{text}^{{T}}"


def to_latex(node: Node) -> str:
    """Write an expression in LaTeX.

    Args:
        node: the root of the expression.
    """
    return _write(node)[0]


def _at_least(node: Node, level: int) -> str:
    """Write a node, in parentheses where it binds less tightly than `level`."""
    text, binding = _write(node)
    return text if binding >= level else f"\\left({text}\\right)"


def _write(node: Node) -> tuple[str, int]:
    """Write a node, and return how tightly it binds, from `_SUM` to `_ATOM`."""
    match node:
        case Variable():
            return variable_latex(node), _ATOM
        case Constant():
            return _number(node), _ATOM if node.value >= 0 else _SUM
        case Add():
            right = _at_least(node.right, _SUM)
            right = f"\\left({right}\\right)" if right.startswith("-") else right
            return f"{_at_least(node.left, _SUM)} + {right}", _SUM
        case Subtract():
            if isinstance(node.left, Constant) and node.left.value == 0:
                return f"-{_at_least(node.right, _ENTRYWISE)}", _SUM
            return f"{_at_least(node.left, _SUM)} - {_at_least(node.right, _ENTRYWISE)}", _SUM
        case Multiply():
            if node.left.shape and node.right.shape:
                return f"{_at_least(node.left, _ENTRYWISE)} \\odot {_at_least(node.right, _ENTRYWISE)}", _ENTRYWISE
            right = _at_least(node.right, _ATOM if node.left.shape else _PRODUCT)
            # Two numbers side by side would read as a list.
            sign = "\\cdot" if right[:1].isdigit() else "\\,"
            return f"{_at_least(node.left, _PRODUCT)} {sign} {right}", _PRODUCT
        case Divide():
            return f"\\frac{{{to_latex(node.left)}}}{{{to_latex(node.right)}}}", _ATOM
        case MatrixVector():
            return f"{_at_least(node.matrix, _PRODUCT)} {_at_least(node.vector, _ATOM)}", _PRODUCT
        case VectorMatrix():
            # A row vector times W is printed as the column it stands for: W^T x.
            matrix = node.matrix.matrix if isinstance(node.matrix, Transpose) else Transpose(node.matrix)
            return f"{_at_least(matrix, _PRODUCT)} {_at_least(node.vector, _ATOM)}", _PRODUCT
        case Transpose():
            return _transposed(*_write(node.matrix)), _ATOM
        case Concatenate():
            return f"\\left[{', '.join(to_latex(part) for part in node.parts)}\\right]", _ATOM
        case Apply():
            return f"{_NAMES[node.function.value]}\\left({to_latex(node.argument)}\\right)", _ATOM
        case Component():
            if isinstance(node.vector, Variable):
                return decorated(variable_latex(node.vector), below=node.index), _ATOM
            return f"\\left({to_latex(node.vector)}\\right)_{{{node.index}}}", _ATOM
        case Outer():
            return f"{_at_least(node.left, _ATOM)} \\, {_transposed(*_write(node.right))}", _PRODUCT
        case Dot():
            return f"\\langle {to_latex(node.left)}, {to_latex(node.right)} \\rangle", _ATOM
        case Slice():
            return f"\\left({to_latex(node.vector)}\\right)_{{{node.start}:{node.stop}}}", _ATOM
        case Place():
            return f"{_at_least(node.scalar, _PRODUCT)} \\, e_{{{node.index}}}", _PRODUCT


def _number(node: Constant) -> str:
    """Write a number as a decimal where that is exact, else as a fraction."""
    value = abs(node.value)
    sign = "-" if node.value < 0 else ""
    if value.denominator == 1:
        return f"{sign}{value.numerator}"
    digits, factor = 0, value.denominator
    while factor % 10 in (0, 2, 4, 5, 6, 8) and factor > 1:
        factor = factor // 10 if factor % 10 == 0 else factor // 2 if factor % 2 == 0 else factor // 5
        digits += 1
    if factor > 1:
        return f"{sign}\\frac{{{value.numerator}}}{{{value.denominator}}}"
    text = str(int(value * 10**digits)).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:].rstrip('0')}"
