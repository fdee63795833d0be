"""From what a user types to the object that it names."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from rnn_harness.attributes import member
from rnn_harness.errors import UsageError, first_line, named_error
from rnn_harness.runtime.input_file import unreadable_file
from rnn_harness.runtime.target_code import remember_target_code
from rnn_harness.validation.loading.adapters import import_library
from rnn_harness.validation.loading.adapters.handwritten.function_pairs import FunctionPair
from rnn_harness.validation.loading.file_in_package import import_in_package, package_of

_MOST_CLASSES = 8
_EXPECTED = "give package.module:Name or path/file.py:Name"


def locate_object(text: str) -> Any:
    """Import the object that a text names.

    Args:
        text: ``package.module:Name``, ``path/file.py:Name``, ``path/file.py:forward,backward`` or ``path/file.onnx``.

    Raises:
        UsageError: There is no such object; the message says what was expected.
    """
    if text.endswith(".onnx"):
        return _read_onnx_model(text)
    place, colon, name = text.rpartition(":")
    if not colon or not place or not name:
        raise UsageError(f"target {text!r} names no class: give package.module:Name, path/file.py:Name or model.onnx")
    module: Any = import_place(place)
    if "," in name:
        forward, backward = (part.strip() for part in name.split(",", 1))
        return FunctionPair(_attribute(module, place, forward), _attribute(module, place, backward))
    return _attribute(module, place, name)


def import_place(place: str) -> ModuleType:
    """Import a file that ends in ``.py``, or a module by its name.

    Args:
        place: The file or the module.

    Raises:
        UsageError: There is none, or it cannot be loaded.
    """
    with _torch_settings_kept():
        module = _import_file(place) if place.endswith(".py") else _import_module(place)
    remember_target_code(module)
    return module


@contextlib.contextmanager
def _torch_settings_kept() -> Iterator[None]:
    """Give torch back its gradients and its default device where a module that is imported in this block changes them.

    Scripts do so for what they run themselves; it says nothing about their cells, and all that is drawn and compared
    here is on the CPU. Which device a cell computes on is asked for by ``--device``.
    """
    torch = sys.modules.get("torch")
    had_gradients = torch is None or torch.is_grad_enabled()
    was_on_cpu = torch is None or torch.get_default_device() == torch.device("cpu")
    try:
        yield
    finally:
        torch = sys.modules.get("torch")
        with contextlib.suppress(AttributeError):  # a module may put anything in the place of torch
            if torch is not None and had_gradients and not torch.is_grad_enabled():
                torch.set_grad_enabled(True)
            if torch is not None and was_on_cpu:
                torch.set_default_device(None)  # not compared before: of a device that is missing, torch raises


def _attribute(module: Any, place: str, name: str) -> Any:
    """The object of a name in a module. Raises UsageError if there is none; the message holds the nearest names."""
    located = module
    for part in name.split("."):
        if not hasattr(located, part):
            public = [name for name in dir(located) if not name.startswith("_") and _is_no_module(located, name)]
            near = difflib.get_close_matches(part, public, 4, 0.4)
            hint = f"; did you mean {', '.join(near)}?" if near else _classes_of(located)
            raise UsageError(f"{place} has no {part!r}{hint}")
        located = member(located, part)
    return located


def _is_no_module(located: Any, name: str) -> bool:
    """Say whether an attribute is something else than a module that a file imports."""
    try:
        return not isinstance(member(located, name), ModuleType)
    except Exception:  # a lazy attribute may raise anything
        return False


def _classes_of(module: Any) -> str:
    """Name the classes that a module defines, as the end of a message; empty where there are none."""
    if not isinstance(module, ModuleType):
        return ""
    members = vars(module).items()
    classes = [key for key, value in members if isinstance(value, type) and value.__module__ == module.__name__]
    listed = ", ".join(classes[:_MOST_CLASSES])
    more = f" and {len(classes) - _MOST_CLASSES} more" if len(classes) > _MOST_CLASSES else ""
    return f"; it defines {listed}{more}" if classes else "; it defines no class"


def _import_module(name: str) -> ModuleType:
    """Import a module by its name, from the current folder too."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(f"{name!r} is no module and no file: {_EXPECTED}")
    try:
        with _importing_from(Path.cwd()):
            return importlib.import_module(name)
    except SystemExit as error:
        raise UsageError(f"{name} cannot be loaded: it leaves with exit code {error.code}") from None
    except (ImportError, ValueError) as error:
        raise UsageError(f"cannot import {name!r}: {error}; {_EXPECTED}") from None
    except Exception as error:  # a user's module may raise anything
        raise UsageError(f"{name} cannot be loaded: {named_error(error)}") from None


@contextlib.contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Import from a folder for a while; what is imported may add paths, and takes none away."""
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        added = [path for path in sys.path if path not in before and path != str(folder)]
        sys.path[:] = [*added, *before]


def _import_file(name: str) -> ModuleType:
    """Import a file that ends in ``.py``; modules in its folder can be imported by it."""
    path = Path(name)
    if not path.is_file():
        raise unreadable_file(path, "a cell (package.module:Name or path/file.py:Name)", FileNotFoundError())
    package = package_of(path)
    if package is not None:
        return import_in_package(path, package)
    module_spec = importlib.util.spec_from_file_location(path.stem, path)
    assert module_spec is not None, "a file that ends in .py has a loader"
    assert module_spec.loader is not None, "a file that ends in .py has a loader"
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[path.stem] = module
    try:
        with _importing_from(path.parent.resolve()):
            module_spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's file may raise anything
        raise UsageError(f"{name} cannot be loaded: {named_error(error)}") from None
    return module


def _read_onnx_model(name: str) -> Any:
    """Read a model from a file, without running anything of it."""
    if not Path(name).is_file():
        raise unreadable_file(Path(name), "an ONNX model", FileNotFoundError())
    onnx = import_library("onnx", "onnx")
    try:
        return onnx.load(name)
    except Exception as error:  # protobuf's errors share no base class
        raise UsageError(f"{name} is no ONNX model: {first_line(error)}") from None
