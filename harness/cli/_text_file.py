"""Files that a command writes where the user says."""

from __future__ import annotations

from pathlib import Path

from rnn_harness.errors import UsageError


def write_text_file(path: Path, text: str) -> None:
    """Write a text as UTF-8.

    Args:
        path: The file; an older one is replaced.
        text: What is written.

    Raises:
        UsageError: The file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
