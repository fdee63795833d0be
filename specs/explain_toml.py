"""Find the line of a TOML file that a validation error is about, and explain the error in one sentence."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Sequence
from typing import Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

_HEADER = re.compile(r"^\s*\[{1,2}\s*([\w.\"'-]+)\s*\]{1,2}")


_NAMED = re.compile(r"^\s*(?:id\s*=\s*[\"'](?P<id>[^\"']*)[\"']|(?P<key>[\w.-]+)\s*=|\[+(?P<table>[\w.-]+)\s*\])")


def lines_of(text: str, names: Iterable[str]) -> dict[str, int]:
    """Return the line (from 1) on which each name first stands as an id, a key or a table; none where it does not.

    Args:
        text: the text of the file.
        names: ids, names of keys or names of tables, without quotes.
    """
    wanted = set(names)
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _NAMED.match(line)
        if match is not None:
            for name in {match["id"], "id" if match["id"] is not None else match["key"] or match["table"]} & wanted:
                lines.setdefault(name, number)
    return lines


def line_of_path(text: str, path: Sequence[str | int]) -> int | None:
    """Find the line of a value.

    Args:
        text: the text of the file.
        path: the path of the value, for example ``("equations", 1, "line")``.

    Returns:
        The line, from 1; that of the enclosing table where the value has none; None where neither is found.
    """
    lines = text.splitlines()
    start, stop, table, nearest = 0, len(lines), "", None
    for position, part in enumerate(path):
        if isinstance(part, int):
            continue
        table = f"{table}.{part}" if table else part
        number = path[position + 1] if position + 1 < len(path) else None
        headers = [n for n in range(start, stop) if _header(lines[n]) == table]
        if isinstance(number, int) and number < len(headers):
            start = nearest = headers[number]
            stop = headers[number + 1] if number + 1 < len(headers) else stop
            start, stop = _table_range(lines, start, stop, table)
        elif not isinstance(number, int) and headers:
            nearest = headers[0]
            start, stop = _table_range(lines, headers[0], stop, table)
        else:
            here = _key_line(lines, part, start, stop)
            return (here if here is not None else nearest if nearest is not None else -1) + 1 or None
    return None if nearest is None else nearest + 1


def _header(line: str) -> str:
    """Return the name in the header of a table, or an empty text."""
    match = _HEADER.match(line)
    return match[1] if match else ""


def _table_range(lines: list[str], start: int, stop: int, table: str) -> tuple[int, int]:
    """Return the lines from a header to the next one that is not inside its table."""
    for n in range(start + 1, stop):
        header = _header(lines[n])
        if header and not header.startswith(f"{table}."):
            return start, n
    return start, stop


def _key_line(lines: list[str], key: str, start: int, stop: int) -> int | None:
    """Return the first line of a range on which a key is set."""
    pattern = re.compile(rf"(^|[{{,])\s*[\"']?{re.escape(key)}[\"']?\s*=")
    return next((n for n in range(start, stop) if pattern.search(lines[n])), None)


def explain(text: str, model: type[BaseModel], error: ValidationError) -> tuple[int | None, str]:
    """Explain the first fault of a file that its model refuses.

    Args:
        text: the text of the file.
        model: the model.
        error: the error that the model raised.

    Returns:
        (the line, from 1, or None; the fault in one sentence).
    """
    first = error.errors()[0]
    path = first["loc"]
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
    line = line_of_path(text, path)
    if first["type"] == "extra_forbidden":
        known = _known_keys(model, path[:-1])
        near = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.7)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return line, f"unknown key {path[-1]!r}; {hint}"
    if first["type"] == "missing":
        return line, f"{where} is missing"
    message = first["msg"].removeprefix("Value error, ")
    return line, f"{where}: {message} (found {repr(first['input'])[:80]})"


def _known_keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the keys that are known at a place of the model."""
    current: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, str) and current is not None:
            field = current.model_fields.get(part)
            current = _model_in(field.annotation) if field else None
    return sorted(current.model_fields) if current is not None else []


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the model in an annotation such as ``tuple[Equation, ...]`` or ``ReferenceLink | None``, if any."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation if issubclass(annotation, BaseModel) else None
    options = get_args(annotation) if get_origin(annotation) in (tuple, list, Union, types.UnionType) else ()
    models = (_model_in(option) for option in options)
    return next((model for model in models if model is not None), None)
