"""The error for a text that cannot be read."""

from __future__ import annotations


class NotationError(ValueError):
    """A text that cannot be read.

    Attributes:
        text: the text.
        column: the column at fault, from 1.
        category: ``unbalanced`` or ``syntax``.

    Args:
        message: What is wrong there; the column is put before it.
    """

    def __init__(self, message: str, text: str, column: int, category: str = "syntax") -> None:
        super().__init__(f"column {column}: {message}")
        self.text, self.column, self.category = text, column, category
