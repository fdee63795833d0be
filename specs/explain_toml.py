"""Where in a TOML file something stands, and what is wrong with it, in one sentence."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

_HEADER = re.compile(r"^\s*\[{1,2}\s*([\w.\"'-]+)\s*\]{1,2}")


def line_of(text: str, key: str) -> int | None:
    """The line (from 1) on which `key` first stands as an id or as a key."""
    pattern = re.compile(rf"^\s*(id\s*=\s*[\"']{re.escape(key)}[\"']|{re.escape(key)}\s*=|\[+{re.escape(key)}\s*\])")
    return next((n for n, line in enumerate(text.splitlines(), 1) if pattern.match(line)), None)


def place(text: str, path: Sequence[str | int]) -> int | None:
    """The line of a value by its path, for example ``("equations", 1, "line")``; of what encloses it, if not found."""
    lines = text.splitlines()
    start, stop, table, found = 0, len(lines), "", None
    for position, part in enumerate(path):
        if isinstance(part, int):
            continue
        table = f"{table}.{part}" if table else part
        number = path[position + 1] if position + 1 < len(path) else None
        headers = [n for n in range(start, stop) if _header(lines[n]) == table]
        if isinstance(number, int) and number < len(headers):
            start = found = headers[number]
            stop = headers[number + 1] if number + 1 < len(headers) else stop
            start, stop = _own(lines, start, stop, table)
        elif not isinstance(number, int) and headers:
            found = headers[0]
            start, stop = _own(lines, headers[0], stop, table)
        else:
            here = _key(lines, part, start, stop)
            return (here if here is not None else found if found is not None else -1) + 1 or None
    return None if found is None else found + 1


def _header(line: str) -> str:
    match = _HEADER.match(line)
    return match[1] if match else ""


def _own(lines: list[str], start: int, stop: int, table: str) -> tuple[int, int]:
    """From a header to the next one that is not inside its table."""
    for n in range(start + 1, stop):
        header = _header(lines[n])
        if header and not header.startswith(f"{table}."):
            return start, n
    return start, stop


def _key(lines: list[str], key: str, start: int, stop: int) -> int | None:
    pattern = re.compile(rf"(^|[{{,])\s*[\"']?{re.escape(key)}[\"']?\s*=")
    own = range(start, stop)
    return next((n for n in own if pattern.search(lines[n])), None)


def explain(text: str, model: type[BaseModel], error: ValidationError) -> tuple[int | None, str]:
    """The line and one sentence for the first fault of a file that `model` refuses."""
    first = error.errors()[0]
    path = first["loc"]
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
    line = place(text, path)
    if first["type"] == "extra_forbidden":
        known = _keys(model, path[:-1])
        near = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.7)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return line, f"unknown key {path[-1]!r}; {hint}"
    if first["type"] == "missing":
        return line, f"{where} is missing"
    message = first["msg"].removeprefix("Value error, ")
    return line, f"{where}: {message} (found {repr(first['input'])[:80]})"


def _keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys that are known at a place of the model."""
    current: Any = model
    for part in path:
        if isinstance(part, str) and isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(part)
            current = _model_in(field.annotation) if field else None
    return sorted(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def _model_in(annotation: Any) -> Any:
    """The model that an annotation such as ``tuple[Equation, ...]`` or ``ReferenceLink | None`` holds."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation
    options = get_args(annotation) if get_origin(annotation) in (tuple, list, Union, types.UnionType) else ()
    found = (_model_in(option) for option in options)
    return next((one for one in found if isinstance(one, type) and issubclass(one, BaseModel)), None)
