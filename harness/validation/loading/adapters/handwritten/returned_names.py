"""What a function calls what it returns: ``return dx, dprev_h`` says more than two arrays do."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from types import CodeType
from typing import Any

from rnn_harness.attributes import attribute


def returned_names(function: Callable[..., Any] | None) -> tuple[str, ...]:
    """Return the names in a function's last return statement.

    Args:
        function: A function or method; None for none.

    Returns:
        A name for everything that it returns, empty where that has none; nothing where the source is not to be had.
    """
    if function is None:
        return ()
    code = attribute(inspect.unwrap(function), "__code__", CodeType)
    return _names_in_source(function) if code is None else _names_of_code(code)


@functools.lru_cache(maxsize=256)
def _names_of_code(code: CodeType) -> tuple[str, ...]:
    """Return the names in the last return statement of a function; remembered, since a network is run often."""
    return _names_in_source(code)


def _names_in_source(function: Callable[..., Any] | CodeType) -> tuple[str, ...]:
    """Read the names in the source of a function."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return ()
    returns = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    if not returns:
        return ()
    last = max(returns, key=lambda value: value.lineno)
    parts = last.elts if isinstance(last, ast.Tuple | ast.List) else [last]
    return tuple(_name(part) for part in parts)


def _name(expression: ast.expr) -> str:
    """The name of a variable or of an attribute; empty for anything else."""
    if isinstance(expression, ast.Name):
        return expression.id
    return expression.attr if isinstance(expression, ast.Attribute) else ""
