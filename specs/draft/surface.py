"""The surface tree of a formula in LaTeX that the notation reads again."""

from __future__ import annotations

from decimal import Decimal

from rnn_harness.specs.notation import Binary, Bracket, Call, Name, Negative, Number, Tree, Tuple
from rnn_harness.specs.symbols import letter_latex

_SUM, _ENTRYWISE, _SIGNED, _SIDE, _ATOM = range(5)
_LEVELS = {"+": _SUM, "-": _SUM, "\\oplus": _SUM, "": _SIDE, "*": _SIGNED, "\\cdot": _SIGNED, "\\times": _SIGNED}
_COMMANDS = ("tanh", "log", "ln", "exp", "max", "min")


def surface_latex(tree: Tree) -> str:
    """Write a surface tree in LaTeX.

    Args:
        tree: The root; no derivative and no sum over an index.

    Raises:
        ValueError: The tree holds what no step computes.
    """
    return _write(tree)[0]


def _at_least(tree: Tree, level: int) -> str:
    """Write a tree, in parentheses where it binds less tightly than `level`."""
    text, binding = _write(tree)
    return text if binding >= level else f"({text})"


def _write(tree: Tree) -> tuple[str, int]:
    """Write a tree, and return how tightly it binds. Raises ValueError."""
    match tree:
        case Name():
            return _name(tree), _ATOM
        case Number():
            digits = Decimal(tree.value.numerator) / Decimal(tree.value.denominator)  # what is printed is a decimal
            return f"{digits:f}", _ATOM
        case Negative():
            return f"-{_at_least(tree.body, _ENTRYWISE)}", _SUM
        case Call():
            return _call(tree), _ATOM
        case Bracket():
            return f"[{', '.join(map(surface_latex, tree.items))}]", _ATOM
        case Tuple():
            return f"({', '.join(map(surface_latex, tree.items))})", _ATOM
        case Binary() if tree.sign == "/":
            return f"\\frac{{{surface_latex(tree.left)}}}{{{surface_latex(tree.right)}}}", _ATOM
        case Binary():
            return _binary(tree)
        case _:
            raise ValueError(f"a {type(tree).__name__.lower()} stands in no step")


def _binary(tree: Binary) -> tuple[str, int]:
    """Write two operands and the sign between them. Raises ValueError."""
    level = _LEVELS.get(tree.sign, _ENTRYWISE)
    left_text = _at_least(tree.left, level)
    if tree.sign == "" and tree.parenthesised:
        return f"{left_text}({surface_latex(tree.right)})", level
    right = _at_least(tree.right, level + 1)
    return f"{left_text} {tree.sign} {right}" if tree.sign else f"{left_text} {right}", level


def _name(name: Name) -> str:
    """Write a name with its decorations."""
    letter = letter_latex(name.base)
    text = f"\\{name.accent}{{{letter}}}" if name.accent else letter
    above = name.sup
    while above.endswith("prime"):
        above, text = above.removesuffix("prime").rstrip(","), f"{text}'"
    text += f"_{{{name.sub}}}" if name.sub else ""
    text += f"^{{{above}}}" if above else ""
    return text + (f"({name.direction})" if name.direction else "")


def _call(call: Call) -> str:
    """Write a function with its argument. Raises ValueError."""
    base, _, label = call.function.partition("_")
    below = f"_{{{label}}}" if label else ""
    argument = call.argument
    if call.function == "sqrt":
        return f"\\sqrt{{{surface_latex(argument)}}}"
    inner = surface_latex(argument) if isinstance(argument, Tuple) else f"({surface_latex(argument)})"
    word = f"\\{base}" if base in _COMMANDS else letter_latex(base)
    if word.startswith("\\mathrm"):
        word = f"\\operatorname{{{base}}}"
    return f"{word}{below}{inner}"
