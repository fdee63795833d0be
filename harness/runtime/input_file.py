"""Files that somebody wrote: whatever is in them, an error says what is wrong with it, and nothing crashes."""

from __future__ import annotations

import difflib
import json
import tomllib
from pathlib import Path
from typing import TypeAlias

from rnn_harness.errors import UsageError

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"

LARGEST_FILE = 2**30
"""Bytes of the largest file of text that is read."""


def parse_json(text: str) -> JsonValue:
    """Read a JSON value.

    Args:
        text: JSON, with or without a byte-order mark.

    Raises:
        ValueError: It is no JSON, is nested deeper than can be read, or holds a number of thousands of digits.
    """
    try:
        value: JsonValue = json.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError("it is nested too deeply to be read") from None
    return value


def parse_toml(text: str) -> dict[str, object]:
    """Read a TOML document.

    Args:
        text: TOML, with or without a byte-order mark.

    Raises:
        ValueError: It is no TOML, is nested deeper than can be read, or holds a number of thousands of digits.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError("it is nested too deeply to be read") from None


def read_text_file(path: Path, noun: str) -> str:
    """Read a file of text in UTF-8, with or without a byte-order mark.

    Args:
        path: The file.
        noun: What it should hold, for the message: ``map``, ``records``.

    Raises:
        UsageError: It cannot be read, is no UTF-8, or is larger than any such file.
    """
    try:
        if path.is_file() and path.stat().st_size > LARGEST_FILE:
            raise UsageError(f"cannot read {noun} from {path}: it is larger than {LARGEST_FILE // 2**20} MiB")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise unreadable_file(path, noun, error) from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise UsageError(
            f"cannot read {noun} from {path}: it is no text in UTF-8 (byte {error.start} is 0x{byte:02x})"
        ) from None


def unreadable_file(path: Path, noun: str, error: OSError) -> UsageError:
    """Say in a sentence why a file cannot be read, with the files beside it that have a name like it.

    Args:
        path: The file.
        noun: What it should hold.
        error: What the system answered.
    """
    if not isinstance(error, FileNotFoundError):
        return UsageError(f"cannot read {noun} from {path}: {error.strerror}")
    folder = path.parent
    if not folder.is_dir():
        return UsageError(f"there is no file {path}: there is no folder {folder}; expected a file with {noun}")
    near = difflib.get_close_matches(path.name, [entry.name for entry in folder.iterdir()], n=3)
    hint = f"; did you mean {', '.join(str(folder / name) for name in near)}?" if near else ""
    return UsageError(f"there is no file {path}; expected a file with {noun}{hint}")


def read_result_text(path: Path) -> str:
    """Read a file of results, whose last line may be cut inside a character; such a character is replaced.

    Args:
        path: The file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise unreadable_file(path, "records", error) from None


LONGEST_LINE = 2**20
"""Letters of a first line that are read; a record has some thousand."""


def read_first_line(path: Path) -> str:
    """Read the beginning of a file of results, up to the end of its first line.

    Args:
        path: The file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.readline(LONGEST_LINE)
    except OSError as error:
        raise unreadable_file(path, "records", error) from None
