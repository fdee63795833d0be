"""Printed Keras programs: read with Python's own parser, never run; parameters counted from the layers."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from rnn_harness.specs.print_finding import PrintFinding
from rnn_harness.specs.schema import Program

_INDEXED = re.compile(r"(?<=[,(\s])(\w+)(\[[^\]]*\])")


class ProgramError(ValueError):
    """A layer that this small reader of Keras does not know."""


def audit_program(entry: Program) -> Iterator[PrintFinding]:
    """Syntax errors, and names of modules that are not keras; each with its repair where one is found."""
    text = entry.printed.strip()
    try:
        ast.parse(text)
    except SyntaxError as error:
        message = f"line {error.lineno}: {error.msg}"
        yield PrintFinding(entry.id, "syntax", message, _repair(text) or entry.reading or "", error.offset or 0)
    for root in sorted(_roots(text) - {"keras"}):
        yield PrintFinding(entry.id, "undeclared symbol", f"{root} is no module; keras is", "keras")


def _repair(text: str) -> str:
    """``name=[...]``, if the text is a program once it stands for the ``name[...]`` printed; else nothing."""
    match = _INDEXED.search(text)
    if match is None:
        return ""
    try:
        ast.parse(_INDEXED.sub(r"\1=\2", text))
    except SyntaxError:
        return ""
    return f"{match[1]}={match[2]}"


def _roots(text: str) -> set[str]:
    """The names that dotted names begin with, whether or not the whole can be read as a program."""
    found: set[str] = set()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return found
    for before, token, after in zip([None, *tokens], tokens, tokens[1:], strict=False):
        dotted = token.type == tokenize.NAME and after.string == "."
        if dotted and (before is None or before.string != "."):
            found.add(token.string)
    return found


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
