"""Which entries of a dictionary of states a function reads, ``state["h"]``: its own code names them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from rnn_harness.validation.loading.adapters.handwritten.argument_names import role_of

_MOST_STATES = 2


def state_entries(function: Callable[..., Any], argument: str) -> tuple[str, ...]:
    """Return the entries of an argument that a function reads as a dictionary; none of what is no dictionary.

    Args:
        function: The user's function, of which the source is read.
        argument: The name of its argument.

    Returns:
        The keys in the order in which they are read; none where there are more than two.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return ()
    keys: dict[str, int] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Constant):
            continue
        key, holder = node.slice.value, node.value
        if isinstance(holder, ast.Name) and holder.id == argument and isinstance(key, str):
            keys[key] = min(node.lineno, keys.get(key, node.lineno))
    ordered = tuple(sorted(keys, key=lambda key: keys[key]))
    return ordered if len(ordered) <= _MOST_STATES else ()


def entry_names(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of arguments for entries, by which a hidden state and a cell state are told apart.

    Args:
        entries: The keys of a dictionary of states, one or two.
    """
    roles = [role_of(entry) for entry in entries]
    if roles in (["h"], ["h", "c"], ["c", "h"]):
        return tuple(str(role) for role in roles)
    return ("h", "c")[: len(entries)]
