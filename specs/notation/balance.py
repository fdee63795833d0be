"""Count brackets before anything else, since a lost one makes every other message misleading."""

from __future__ import annotations

import re

from rnn_harness.specs.notation.errors import NotationError

_PAIRS = {")": "(", "]": "[", "}": "{"}
_DEEPEST = 50
_COLUMN_SIGN = re.compile(r"&+")
_AFTER = re.compile(
    r"\s*(=|:=|[+\-*]|\\(Rightarrow|rightarrow|leftarrow|to|gets|oplus|otimes|odot|circ|star|cdot|times))"
)
_BEFORE = re.compile(r"(^|=|[+\-*,]|\\\\|\\begin\{\w+\*?\})\s*$")


def check_balance(text: str) -> None:
    """Check that every bracket is closed by its counterpart.

    Args:
        text: the LaTeX of one equation.

    Raises:
        NotationError: at the first bracket that closes nothing, or at the last that is never closed.
    """
    open_: list[tuple[str, int]] = []
    for column, sign in enumerate(text, start=1):
        if sign in "([{":
            open_.append((sign, column))
            if len(open_) > _DEEPEST:
                raise NotationError(f"more than {_DEEPEST} brackets inside each other", text, column)
        elif sign in _PAIRS:
            if not open_ or open_[-1][0] != _PAIRS[sign]:
                expected = f"{open_[-1][0]!r} of column {open_[-1][1]} is still open" if open_ else "none is open"
                raise NotationError(f"{sign!r} closes nothing: {expected}", text, column, "unbalanced")
            open_.pop()
    if open_:
        sign, column = open_[-1]
        raise NotationError(f"{sign!r} is never closed", text, column, "unbalanced")


def check_alignment(text: str) -> None:
    """Check that ``&`` stands next to a sign, where it only aligns.

    Args:
        text: the LaTeX of one equation.

    Raises:
        NotationError: at an ``&`` between two symbols, which would separate columns of a table.
    """
    for match in _COLUMN_SIGN.finditer(text):
        if not _AFTER.match(text, match.end()) and not _BEFORE.search(text[: match.start()]):
            raise NotationError("'&' between two symbols parts columns, it is no product", text, match.start() + 1)
