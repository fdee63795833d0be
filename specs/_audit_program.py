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


def count_parameters(entry: Program) -> tuple[int, int]:
    """(parameters, output size) of the program meant, at its input size. Raises ProgramError, SyntaxError."""
    statement = ast.parse(entry.text.strip()).body[0]
    value = statement.value if isinstance(statement, ast.Assign | ast.Expr) else None
    if not isinstance(value, ast.Call):
        raise ProgramError(f"{entry.id}: expected a layer or a model")
    return _count(value, entry.input_size)


def _count(call: ast.Call, size: int) -> tuple[int, int]:
    kind = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    first = call.args[0]
    if kind == "Sequential" and isinstance(first, ast.List):
        total = 0
        for layer in first.elts:
            assert isinstance(layer, ast.Call), "a layer is a call"
            count, size = _count(layer, size)
            total += count
        return total, size
    if kind in ("TimeDistributed", "Bidirectional") and isinstance(first, ast.Call):
        count, width = _count(first, size)
        return (count, width) if kind == "TimeDistributed" else (2 * count, 2 * width)
    if kind in ("SimpleRNN", "Dense") and isinstance(first, ast.Constant) and isinstance(first.value, int):
        units = first.value
        recurrent = units if kind == "SimpleRNN" else 0
        return units * (size + recurrent + 1), units
    raise ProgramError(f"layer {kind or ast.dump(call.func)} is not known")
