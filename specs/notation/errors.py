"""What a text that cannot be read is refused with."""

from __future__ import annotations


class NotationError(ValueError):
    """A text that cannot be read. `column` counts from 1; `kind` is ``unbalanced`` or ``syntax``."""

    def __init__(self, message: str, text: str, column: int, kind: str = "syntax") -> None:
        super().__init__(f"column {column}: {message}")
        self.text, self.column, self.kind = text, column, kind
