"""``key=value`` pairs as users type them."""

from __future__ import annotations

import ast

from rnn_harness.errors import UsageError
from rnn_harness.options import Options, OptionTable

_TRUTH_VALUES = {"true": True, "false": False}


def read_options(pairs: list[str]) -> Options:
    """Read ``key=value`` pairs; a value that is no Python literal is text, but for true and false in any case.

    Args:
        pairs: What stood behind each ``--init``.

    Returns:
        Values by key; of a key that is there twice, the last.

    Raises:
        UsageError: A pair has no equals sign, or its key is no name.
    """
    options: OptionTable = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"--init {pair!r} is no key=value; expected for example --init dropout=0.0")
        if value.lower() in _TRUTH_VALUES:
            options[key] = _TRUTH_VALUES[value.lower()]
            continue
        try:
            options[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            options[key] = value
    return options


def take_options(options: OptionTable, keys: tuple[str, ...]) -> OptionTable:
    """Take the options of some keys out of a table, and return them.

    Args:
        options: The table, which loses them.
        keys: Their keys; those that are not there are left out.
    """
    return {key: options.pop(key) for key in keys if key in options}
