"""Where a target is written: the file and the line of its class or function, found without importing it."""

from __future__ import annotations

import ast
import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SourcePlace:
    """A line of a file.

    Attributes:
        path: The file; relative to the folder where the run started, if it lies in it.
        line: The line, from 1.
    """

    path: str
    line: int


def source_place(target: str) -> SourcePlace | None:
    """Find the file and the line of a target.

    Args:
        target: ``path/file.py:Name`` or ``package.module:Name``.

    Returns:
        The place; None where it has no source in Python.
    """
    location, _, name = target.rpartition(":")
    path = Path(location) if location.endswith(".py") else _file_of_module(location)
    if path is None or not path.is_file():
        return None
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return None
    first = name.partition(".")[0].partition(",")[0].strip()
    definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    line = next((node.lineno for node in ast.walk(tree) if isinstance(node, definitions) and node.name == first), 1)
    return SourcePlace(_relative(path), line)


def _file_of_module(name: str) -> Path | None:
    """Return the file of a module that is not imported; None where there is none."""
    if not name:
        return None
    top, *parts = name.split(".")
    try:
        spec = importlib.util.find_spec(top)  # the parents of a dotted name would be imported
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    if not parts:
        return Path(spec.origin)
    folder = Path(spec.origin).parent.joinpath(*parts)
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


def _relative(path: Path) -> str:
    """Return a path from the current folder on, where that is possible, with slashes."""
    whole = path.resolve()
    return whole.relative_to(Path.cwd()).as_posix() if whole.is_relative_to(Path.cwd()) else whole.as_posix()
