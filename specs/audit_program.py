"""Read printed Keras programs with Python's parser, without running them, and count parameters by the layers."""

from __future__ import annotations

import ast
import dataclasses
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from rnn_harness.specs.print_finding import PrintFinding
from rnn_harness.specs.schema import Program

_INDEXED = re.compile(r"(?<=[,(\s])(\w+)(\[[^\]]*\])")


class ProgramError(ValueError):
    """A layer that this small reader of Keras does not know."""


@dataclass(frozen=True, slots=True)
class KerasLayer:
    """A layer of a printed program.

    Attributes:
        class_name: ``SimpleRNN`` or ``Dense``.
        input_size: the number of inputs n.
        units: the number of units u.
        copies: 2 in a bidirectional wrapper, else 1.
    """

    class_name: str
    input_size: int
    units: int
    copies: int

    @property
    def parameter_count(self) -> int:
        """The number of parameters by the closed forms u(n + u + 1) and u(n + 1), of all copies."""
        recurrent = self.units if self.class_name == "SimpleRNN" else 0
        return self.copies * self.units * (self.input_size + recurrent + 1)


def audit_program(entry: Program) -> Iterator[PrintFinding]:
    """Report syntax errors, and names of modules that are not keras.

    Args:
        entry: the program.

    Yields:
        The findings, each with its repair where there is one.
    """
    text = entry.printed.strip()
    try:
        ast.parse(text)
    except SyntaxError as error:
        message = f"line {error.lineno}: {error.msg}"
        yield PrintFinding(entry.id, "syntax", message, _repair(text) or entry.reading or "", error.offset or 0)
    for root in sorted(_roots(text) - {"keras"}):
        yield PrintFinding(entry.id, "undeclared symbol", f"{root} is no module; keras is", "keras")


def _repair(text: str) -> str:
    """Return ``name=[...]`` if the text is a program with it in place of the ``name[...]`` printed; else nothing."""
    match = _INDEXED.search(text)
    if match is None:
        return ""
    try:
        ast.parse(_INDEXED.sub(r"\1=\2", text))
    except SyntaxError:
        return ""
    return f"{match[1]}={match[2]}"


def _roots(text: str) -> set[str]:
    """Return the names that dotted names begin with, whether or not the text can be read as a program."""
    roots: set[str] = set()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return roots
    for before, token, after in zip([None, *tokens], tokens, tokens[1:], strict=False):
        dotted = token.type == tokenize.NAME and after.string == "."
        if dotted and (before is None or before.string != "."):
            roots.add(token.string)
    return roots


def program_layers(entry: Program) -> tuple[KerasLayer, ...]:
    """Read the layers of the program that is meant.

    Args:
        entry: the printed Python program, whose first statement builds the layers; it is parsed, never run.

    Raises:
        ProgramError: for a layer that is not known.
        SyntaxError: for a text that is no program.
    """
    statements = ast.parse(entry.text.strip()).body
    if not statements:
        raise ProgramError(f"{entry.id}: the program is empty; expected a layer or a model")
    statement = statements[0]
    value = statement.value if isinstance(statement, ast.Assign | ast.Expr) else None
    if not isinstance(value, ast.Call):
        raise ProgramError(f"{entry.id}: expected a layer or a model")
    return _layers_of_call(value, entry.input_size)


def count_parameters(entry: Program) -> int:
    """Count the parameters of the program that is meant.

    Args:
        entry: the printed Python program; it is parsed, never run.

    Returns:
        The sum over its layers of u units on n inputs: u(n + u + 1) for a recurrent layer, u(n + 1) for a dense one.

    Raises:
        ProgramError: for a layer that is not known.
        SyntaxError: for a text that is no program.
    """
    return sum(layer.parameter_count for layer in program_layers(entry))


def _layers_of_call(call: ast.Call, size: int) -> tuple[KerasLayer, ...]:
    """Read the layers that a call builds on `size` inputs. Raises ProgramError."""
    class_name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if not call.args:
        raise ProgramError(f"{ast.unparse(call)} has no argument: expected the number of units, or layers")
    first = call.args[0]
    if class_name == "Sequential" and isinstance(first, ast.List):
        layers: list[KerasLayer] = []
        for layer in first.elts:
            if not isinstance(layer, ast.Call):
                raise ProgramError(f"{ast.unparse(layer)} is not a layer")
            layers += _layers_of_call(layer, size)
            size = layers[-1].units * layers[-1].copies
        return tuple(layers)
    if class_name in ("TimeDistributed", "Bidirectional") and isinstance(first, ast.Call):
        factor = 2 if class_name == "Bidirectional" else 1
        inner = _layers_of_call(first, size)
        return tuple(dataclasses.replace(layer, copies=layer.copies * factor) for layer in inner)
    if class_name in ("SimpleRNN", "Dense") and isinstance(first, ast.Constant) and isinstance(first.value, int):
        return (KerasLayer(class_name, size, first.value, 1),)
    raise ProgramError(f"layer {class_name or ast.unparse(call.func)} is not known")
