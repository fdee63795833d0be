"""``key=value`` pairs as users type them."""

from __future__ import annotations

import ast
from typing import Any

from rnn_harness.errors import UsageError


def read_options(pairs: list[str]) -> dict[str, Any]:
    """``key=value`` pairs; a value is a Python literal, else text. Raises UsageError."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"--init {pair!r} is no key=value")
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found
