"""From what a user types to a torch module of the sizes that are wanted.

Dimension legend: n input size, d hidden size.
"""

from __future__ import annotations

import contextlib
import copy
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
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.loading.adapters import Adapter, DrivenModule, choose, choose_backend, imported
from rnn_harness.validation.loading.calling_convention import CallingConvention, find

_INPUT = ("input_size", "input_dim", "in_features", "in_size", "in_dim", "n_in", "nin", "n_inputs", "n", "embed_dim")
_HIDDEN = (
    "hidden_size",
    "hidden_dim",
    "hidden_features",
    "n_hidden",
    "nhid",
    "hidden",
    "units",
    "num_units",
    "features",
    "d",
)


@dataclass(frozen=True)
class Target:
    """Somebody's cell. `make` gives a torch module of (n, d), which may only stand for something that is none.

    `sizes` is set where the target exists for these alone. `convention`: how it is called, where that is known without
    trying. `dtypes`: those it takes. `gradients`: why it has none, empty if it has. `foreign`: the library it is made
    with, if not torch. `claims`: the cell that it says it is. `lengths`: it takes them. `absolute`: its library
    promises functions against 1, not against their own value.
    """

    name: str
    make: Callable[[int, int], Any]
    sizes: tuple[int, int] | None = None
    convention: CallingConvention | None = None
    dtypes: tuple[str, ...] = ("float64", "float32")
    gradients: str = ""
    foreign: str = ""
    claims: CellModel | None = None
    lengths: bool = False
    absolute: bool = False


def _module(where: str) -> ModuleType:
    path = Path(where)
    if not where.endswith(".py"):
        if not all(part.isidentifier() for part in where.split(".")):
            raise UsageError(f"{where!r} is no module and no file: give package.module:Name or path/file.py:Name")
        sys.path.insert(0, str(Path.cwd()))
        try:
            return importlib.import_module(where)
        except SystemExit as error:
            raise UsageError(f"{where} cannot be loaded: it leaves with exit code {error.code}") from None
        except (ImportError, ValueError) as error:
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
    except (Exception, SystemExit) as error:  # whatever stands in somebody's file
        raise UsageError(f"{where} cannot be loaded: {type(error).__name__}: {error}") from None
    finally:
        sys.path.pop(0)
    return module


def load(text: str, options: dict[str, Any] | None = None, adapter: str | None = None) -> Target:
    """The target ``package.module:Name``, ``path/file.py:Name`` or ``path/file.onnx``.

    Raises UsageError that says what was expected.
    """
    choose_backend()
    if text.endswith(".onnx"):
        return target(text, _onnx(text), options, adapter)
    where, colon, name = text.rpartition(":")
    if not colon or not where or not name:
        raise UsageError(f"target {text!r} names nothing: give package.module:Name, path/file.py:Name or model.onnx")
    module = _module(where)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, [one for one in dir(found) if not one.startswith("_")], 4, 0.4)
            hint = f"; near: {', '.join(near)}" if near else ""
            raise UsageError(f"{where} has no {part!r}{hint}")
        found = getattr(found, part)
    return target(text, found, options, adapter)


def _onnx(text: str) -> Any:
    """A model read from a file, without running anything of it."""
    if not Path(text).is_file():
        raise UsageError(f"there is no file {text}")
    onnx = imported("onnx", "onnx")
    try:
        return onnx.load(text)
    except Exception as error:  # protobuf's errors share no base class
        raise UsageError(f"{text} is no ONNX model: {str(error).splitlines()[0]}") from None


def target(name: str, found: Any, options: dict[str, Any] | None = None, adapter: str | None = None) -> Target:
    """An object that an adapter drives, its class, or a function that makes one. Raises UsageError."""
    given = dict(options or {})
    if isinstance(found, type):
        own = _chosen(name, found, adapter)
        rest = {key: given.pop(key) for key in own.options if key in given}
        defaults = dict(own.defaults(found))
        return _driven(name, own, lambda n, d: _call(name, found, n, d, given, defaults), rest)
    if _is_function(found):
        return _from_function(name, found, given, adapter)
    own = _chosen(name, type(found), adapter)
    rest = {key: given.pop(key) for key in own.options if key in given}
    if given:
        raise UsageError(f"{name} is made already: it takes no {', '.join(sorted(given))}")
    sizes = _sizes(found) or (_fitting(found) if own.name == "torch" else None)
    return _driven(name, own, lambda n, d: copy.deepcopy(found), rest, sizes)


def _is_function(found: Any) -> bool:
    return inspect.isroutine(found) or choose(type(found)) is choose(type(_is_function))


def _from_function(name: str, found: Any, given: dict[str, Any], adapter: str | None) -> Target:
    """A function that makes cells, if it takes sizes and gives something that can be driven; else one of a step."""
    try:
        known = set(inspect.signature(found).parameters)
    except (TypeError, ValueError):
        known = set()
    if adapter != "function" and (known & {*_INPUT, *_HIDDEN} - {"x", "h", "n", "d"} or {"n", "d"} <= known):
        made = _call(name, found, SMALL[0], SMALL[1], given, {})
        own = _chosen(f"{name}, which gives a {type(made).__name__}", type(made), adapter)
        rest = {key: given.pop(key) for key in own.options if key in given and key not in known}
        return _driven(name, own, lambda n, d: _call(name, found, n, d, given, {}), rest)
    own = _chosen(name, type(found), adapter or "function")
    rest = {key: given.pop(key) for key in own.options if key in given}
    if given:
        raise UsageError(f"{name} is a function of one step: it takes no --init {', '.join(sorted(given))}")
    return _driven(name, own, lambda n, d: found, rest)


SMALL = (5, 3)
"""(n, d) that a target is made for to see what it is."""


def _chosen(name: str, kind: type, adapter: str | None) -> Adapter:
    own = choose(kind, adapter)
    if own is None:
        raise UsageError(
            f"{name} is a {kind.__module__}.{kind.__qualname__}; expected a module of torch, Keras, flax or equinox, "
            "an ONNX model, an object with arrays and a forward method, a function of one step, or what makes one"
        )
    return own


def _driven(
    name: str,
    adapter: Adapter,
    build: Callable[[int, int], Any],
    options: dict[str, Any],
    sizes: tuple[int, int] | None = None,
) -> Target:
    """The target; it is made once here, so that what cannot be made is said at once."""

    def wrap(n: int, d: int) -> DrivenModule:
        made = build(n, d)
        if adapter.name == "torch" and not adapter.claims(type(made)):
            raise UsageError(f"{name} gives a {type(made).__name__}; expected a torch module")
        return adapter.wrap(made, n, d, options)

    first = wrap(*(sizes or SMALL))
    return Target(
        name,
        lambda n, d: wrap(n, d).module,
        sizes or first.sizes,
        first.convention,
        first.dtypes,
        first.gradients,
        first.foreign,
        first.claims,
        first.lengths,
        first.absolute,
    )


def _call(name: str, found: Any, n: int, d: int, options: dict[str, Any], defaults: dict[str, Any]) -> Any:
    try:
        known = inspect.signature(found).parameters
    except (TypeError, ValueError):
        known = {}  # type: ignore[assignment]
    named = {one: n for one in _INPUT if one in known} | {one: d for one in _HIDDEN if one in known}
    wide = any(one.kind is one.VAR_KEYWORD for one in known.values())
    unknown = sorted(set(options) - set(known)) if known and not wide else []
    if unknown:
        raise UsageError(f"{name} takes no {', '.join(unknown)}; it takes {', '.join(known)}")
    given = {key: value for key, value in defaults.items() if wide or key in known} | options
    named = {key: value for key, value in named.items() if key not in given}
    attempts: list[Callable[[], Any]] = [lambda: found(**named, **given)] if named else []
    attempts.append(lambda: found(n, d, **given))
    trouble: list[str] = []
    for attempt in attempts:
        try:
            return attempt()
        except (Exception, SystemExit) as error:  # a constructor may raise anything
            trouble.append(f"{type(error).__name__}: {error}")
    shown = ", ".join(str(one) for one in known.values()) or "unknown arguments"
    raise UsageError(
        f"{name}({shown}) cannot be made for input size {n} and hidden size {d}: {trouble[0]}; "
        "give what it needs besides with --init key=value, or name a function f(n, d) that makes it"
    )


def _fitting(module: Any) -> tuple[int, int] | None:
    """(n, d) of a torch module that does not say so: the first sizes, of those its parameters allow, that it takes."""
    wide = {size for value in module.parameters() for size in value.shape}
    hidden = sorted({size // gates for size in wide for gates in (1, 3, 4) if size % gates == 0}, reverse=True)
    for d in hidden:
        for n in sorted({*wide, *(size - d for size in wide if size > d)}):
            with contextlib.suppress(UsageError):
                find(copy.deepcopy(module), n, d)
                return n, d
    return None


def _sizes(made: Any) -> tuple[int, int] | None:
    """(n, d) of an object that says so."""
    n = next((getattr(made, one) for one in _INPUT if isinstance(getattr(made, one, None), int)), None)
    d = next((getattr(made, one) for one in _HIDDEN if isinstance(getattr(made, one, None), int)), None)
    return None if n is None or d is None else (n, d)
