"""From what a user types to a torch module of the sizes that are wanted.

Dimension legend: n input size, d hidden size.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from rnn_harness.errors import UsageError

_INPUT = ("input_size", "input_dim", "in_features", "in_size", "in_dim", "n_in", "nin", "n_inputs", "n", "embed_dim")
_HIDDEN = ("hidden_size", "hidden_dim", "hidden_features", "n_hidden", "nhid", "hidden", "units", "num_units", "d")


@dataclass(frozen=True)
class Target:
    """Somebody's cell. `make` gives a torch module of (n, d); `sizes` is set where the module exists already."""

    name: str
    make: Callable[[int, int], Any]
    sizes: tuple[int, int] | None = None


def _module(where: str) -> ModuleType:
    path = Path(where)
    if not where.endswith(".py"):
        sys.path.insert(0, str(Path.cwd()))
        try:
            return importlib.import_module(where)
        except ImportError as error:
            raise UsageError(
                f"cannot import {where!r}: {error}; give package.module:Name or path/file.py:Name"
            ) from None
        finally:
            sys.path.pop(0)
    if not path.is_file():
        raise UsageError(f"there is no file {where}; give package.module:Name or path/file.py:Name")
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None, "a file that ends in .py has a loader"
    assert found.loader is not None, "a file that ends in .py has a loader"
    module = importlib.util.module_from_spec(found)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        found.loader.exec_module(module)
    except Exception as error:  # whatever stands in somebody's file
        raise UsageError(f"{where} cannot be loaded: {type(error).__name__}: {error}") from None
    finally:
        sys.path.pop(0)
    return module


def read_options(pairs: list[str]) -> dict[str, Any]:
    """``key=value`` pairs; a value is a Python literal, else text. Raises UsageError."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"--init {pair!r} is no key=value")
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found


def load(text: str, options: dict[str, Any] | None = None) -> Target:
    """The target ``package.module:Name`` or ``path/file.py:Name``. Raises UsageError that says what was expected."""
    where, colon, name = text.rpartition(":")
    if not colon or not where or not name:
        raise UsageError(f"target {text!r} names nothing: give package.module:Name or path/file.py:Name")
    module = _module(where)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, [one for one in dir(found) if not one.startswith("_")], 4, 0.4)
            hint = f"; near: {', '.join(near)}" if near else ""
            raise UsageError(f"{where} has no {part!r}{hint}")
        found = getattr(found, part)
    return target(text, found, options)


def target(name: str, found: Any, options: dict[str, Any] | None = None) -> Target:
    """A module, a class of modules, or a function that makes one. Raises UsageError."""
    import torch

    if isinstance(found, torch.nn.Module):
        return Target(name, lambda n, d: found, _sizes(found))
    if not callable(found):
        raise UsageError(f"{name} is a {type(found).__name__}; expected a torch module, its class, or a function")
    given = dict(options or {})

    def make(n: int, d: int) -> Any:
        made = _call(name, found, n, d, given)
        if not isinstance(made, torch.nn.Module):
            raise UsageError(f"{name} gives a {type(made).__name__}; expected a torch module")
        return made

    return Target(name, make)


def _call(name: str, found: Any, n: int, d: int, options: dict[str, Any]) -> Any:
    try:
        known = inspect.signature(found).parameters
    except (TypeError, ValueError):
        known = {}  # type: ignore[assignment]
    named = {one: n for one in _INPUT if one in known} | {one: d for one in _HIDDEN if one in known}
    wide = any(one.kind is one.VAR_KEYWORD for one in known.values())
    unknown = sorted(set(options) - set(known)) if known and not wide else []
    if unknown:
        raise UsageError(f"{name} takes no {', '.join(unknown)}; it takes {', '.join(known)}")
    attempts: list[Callable[[], Any]] = [lambda: found(**named, **options)] if len(named) == 2 else []
    attempts.append(lambda: found(n, d, **options))
    trouble: list[str] = []
    for attempt in attempts:
        try:
            return attempt()
        except Exception as error:  # a constructor may raise anything
            trouble.append(f"{type(error).__name__}: {error}")
    shown = ", ".join(str(one) for one in known.values()) or "unknown arguments"
    raise UsageError(
        f"{name}({shown}) cannot be made for input size {n} and hidden size {d}: {trouble[0]}; "
        "give what it needs besides with --init key=value"
    )


def _sizes(module: Any) -> tuple[int, int] | None:
    """(n, d) of a module that says so."""
    n = next((getattr(module, one) for one in _INPUT if isinstance(getattr(module, one, None), int)), None)
    d = next((getattr(module, one) for one in _HIDDEN if isinstance(getattr(module, one, None), int)), None)
    return None if n is None or d is None else (n, d)
