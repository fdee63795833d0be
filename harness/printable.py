"""Text that others wrote, made safe to print and to write: terminals obey escape sequences, XML forbids characters."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""Control characters but for tabs and ends of lines, overrides of the writing direction, and what is no character."""


def printable(text: str) -> str:
    r"""Return a text with every character that must not be printed replaced by its escape.

    Args:
        text: Any text; one that holds no such character is returned as it is.

    Returns:
        The text, with for example ``\x1b`` in four letters where an escape sequence began.
    """
    return _FORBIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text.replace("\r\n", "\n"))


_ESCAPES = re.compile(r"\\[ubfr]")
"""How JSON writes forbidden characters; also the end of a backslash, which is written as two, before such a letter."""


def is_printable_json(text: str) -> bool:
    """Say whether no text in a JSON document can hold a character that must not be printed.

    Args:
        text: JSON; where it says no, the texts in it must be looked at one by one.
    """
    return _FORBIDDEN.search(text) is None and _ESCAPES.search(text) is None


def printable_values(value: object) -> object:
    """Return plain data with every text in it made printable.

    Args:
        value: Dictionaries, lists, tuples, texts and numbers.

    Raises:
        ValueError: They are nested too deeply.
    """
    try:
        return _printable_values(value)
    except RecursionError:
        raise ValueError("it is nested too deeply to be read") from None


def _printable_values(value: object) -> object:
    """Return plain data with every text in it made printable. Raises RecursionError."""
    match value:
        case str():
            return printable(str(value)) if type(value) is str else value
        case dict():
            return {_printable_values(key): _printable_values(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_printable_values(entry) for entry in value]
        case _:
            return value
