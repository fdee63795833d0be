"""The candidates for recurrent cells in a file, a folder or a module: what could be driven, by what it looks like."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from rnn_harness.attributes import attribute
from rnn_harness.errors import UsageError, first_line
from rnn_harness.validation.loading.adapters import choose_adapter
from rnn_harness.validation.loading.adapters.adapter import comes_from
from rnn_harness.validation.loading.adapters.array_objects import forward_methods
from rnn_harness.validation.loading.adapters.step_signature import StepSignature, takes_input_and_state
from rnn_harness.validation.loading.forward_signature import STATE_NAME
from rnn_harness.validation.loading.locate import import_place, locate_object
from rnn_harness.validation.loading.size_arguments import argument_names, names_sizes

_NO_CELLS = ("torch.autograd", "torch.optim", "torch.utils.data", "torch.nn.modules.loss", "torch.nn.modules.container")
_MOST_MODULES = 200
"""How many modules of a package are imported to look for cells."""


@dataclass(frozen=True)
class Candidates:
    """What may be recurrent cells.

    Attributes:
        targets: Each as a user would type it.
        problems: What could not be loaded, each with the reason.
    """

    targets: tuple[str, ...]
    problems: tuple[str, ...] = ()


def list_candidates(text: str) -> Candidates:
    """List what may be cells.

    Args:
        text: A file that ends in ``.py``, a folder, or the name of a module.

    Raises:
        UsageError: There is no such place, or it cannot be loaded.
    """
    path = Path(text)
    if not path.is_dir():
        module = import_place(text)
        names = tuple(f"{text}:{name}" for name in _names_of_candidates(module))
        return Candidates(names) if names or text.endswith(".py") else _in_submodules(module)
    targets: list[str] = []
    problems: list[str] = []
    for file in sorted(path.rglob("*.py")):
        if not any(part.startswith((".", "test")) for part in file.relative_to(path).parts):
            _add(targets, problems, str(file))
    return Candidates(tuple(targets), tuple(problems))


def _in_submodules(module: ModuleType) -> Candidates:
    """List what may be cells in the modules of a package."""
    targets: list[str] = []
    problems: list[str] = []
    prefix = f"{module.__name__}."
    walked = pkgutil.walk_packages(module.__path__, prefix, lambda _: None) if hasattr(module, "__path__") else ()
    for place, information in enumerate(walked):
        if place < _MOST_MODULES and not any(part.startswith(("_", "test")) for part in information.name.split(".")):
            _add(targets, problems, information.name)
    return Candidates(tuple(targets), tuple(problems))


def _add(targets: list[str], problems: list[str], place: str) -> None:
    """Add the candidates of a file or module, or why it cannot be loaded."""
    try:
        module = import_place(place) if place.endswith(".py") else importlib.import_module(place)
    except UsageError as error:
        problems.append(str(error))
    except (Exception, SystemExit) as error:  # a module may raise anything when it is imported
        problems.append(f"{place} cannot be loaded: {type(error).__name__}: {first_line(error)}")
    else:
        targets += [f"{place}:{name}" for name in _names_of_candidates(module)]


def _names_of_candidates(module: ModuleType) -> Iterator[str]:
    """Yield the public names of a module that may be cells and that its package defines, each object once."""
    package = module.__name__.partition(".")[0]
    listed: list[Any] = []
    for name, value in list(vars(module).items()):
        if name.startswith("_") or any(value is other for other in listed):
            continue
        is_of_package = f"{attribute(value, '__module__', str)}.".startswith(f"{package}.")  # instances of any class
        if _may_be_cell(value, is_of_package):
            listed.append(value)
            yield name


def _may_be_cell(value: Any, is_of_package: bool) -> bool:
    """Say whether an object may be a cell: a class that an adapter accepts, a step, what makes cells, or a module."""
    import torch

    if isinstance(value, torch.nn.Module):
        return True
    if not is_of_package:
        return False
    if isinstance(value, type):
        is_abstract = inspect.isabstract(value) or value.__dict__.get("_is_protocol", False)
        return not is_abstract and not comes_from(value, *_NO_CELLS) and choose_adapter(value) is not None
    if not inspect.isfunction(value) or "backward" in value.__name__:
        return False
    known = argument_names(value)
    return takes_input_and_state(StepSignature(value)) or (bool(known) and names_sizes(known))


def shows_state(target: str) -> bool:
    """Say whether a candidate that cannot be driven takes a state, or an input and something else, when it is called.

    Args:
        target: The candidate, as `list_candidates` names it.
    """
    value = locate_object(target)
    called: object = value
    if not inspect.isfunction(value):
        cell_type = value if isinstance(value, type) else type(value)
        method = next(iter(forward_methods(cell_type)), "")
        called = vars(next((base for base in cell_type.__mro__ if method in vars(base)), object)).get(method)
    return callable(called) and any(STATE_NAME.match(name) for name in argument_names(called))
