"""Printed Keras programs: read with Python's own parser, never run; parameters counted from the layers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from rnn_harness.specs._finding import Finding
from rnn_harness.specs._model import Program


class ProgramError(ValueError):
    """A layer that this small reader of Keras does not know."""


def audit_program(entry: Program) -> Iterator[Finding]:
    """Syntax errors, and names of modules that are not keras."""
    try:
        tree = ast.parse(entry.printed.strip())
    except SyntaxError as error:
        yield Finding(entry.id, "syntax", f"line {error.lineno}: {error.msg}", entry.reading or "", error.offset or 0)
        return
    roots = {_root(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for root in sorted(roots - {"keras"}):
        yield Finding(entry.id, "undeclared symbol", f"{root} is no module; keras is", entry.reading or "")


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def layers(entry: Program) -> tuple[tuple[str, int, int, int], ...]:
    """(kind, input size, units, copies) of every layer of the program meant. Raises ProgramError, SyntaxError."""
    statement = ast.parse(entry.text.strip()).body[0]
    value = statement.value if isinstance(statement, ast.Assign | ast.Expr) else None
    if not isinstance(value, ast.Call):
        raise ProgramError(f"{entry.id}: expected a layer or a model")
    return _layers(value, entry.input_size)


def count_parameters(entry: Program) -> int:
    """Parameters of the program meant, by the closed forms u(n + u + 1) and u(n + 1)."""
    return sum(
        copies * units * (size + (units if kind == "SimpleRNN" else 0) + 1)
        for kind, size, units, copies in layers(entry)
    )


def _layers(call: ast.Call, size: int) -> tuple[tuple[str, int, int, int], ...]:
    kind = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    first = call.args[0]
    if kind == "Sequential" and isinstance(first, ast.List):
        found: list[tuple[str, int, int, int]] = []
        for layer in first.elts:
            if not isinstance(layer, ast.Call):
                raise ProgramError(f"{ast.unparse(layer)} is not a layer")
            found += _layers(layer, size)
            size = found[-1][2] * found[-1][3]
        return tuple(found)
    if kind in ("TimeDistributed", "Bidirectional") and isinstance(first, ast.Call):
        factor = 2 if kind == "Bidirectional" else 1
        return tuple((k, n, u, c * factor) for k, n, u, c in _layers(first, size))
    if kind in ("SimpleRNN", "Dense") and isinstance(first, ast.Constant) and isinstance(first.value, int):
        return ((kind, size, first.value, 1),)
    raise ProgramError(f"layer {kind or ast.unparse(call.func)} is not known")
