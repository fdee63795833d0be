"""What a module says about itself: its docstrings and the comments of its forward."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn


@runtime_checkable
class StandsForClass(Protocol):
    """A torch module that stands for an object of another library.

    Attributes:
        documented_class: The class of that object.
    """

    documented_class: type


def documentation_texts(module: nn.Module) -> Iterator[str]:
    """Yield the docstrings of the class and of its forward, and the comments of its forward.

    Args:
        module: The module; where it was made without a source, there are no comments.
    """
    documented = module.documented_class if isinstance(module, StandsForClass) else type(module)
    forward = _forward_of(documented)
    yield from filter(None, (inspect.getdoc(documented), inspect.getdoc(forward)))
    try:
        source = inspect.getsource(forward)
    except (OSError, TypeError):  # it was made where there is no source
        return
    yield from (line.partition("#")[2] for line in source.splitlines() if "#" in line)


def _forward_of(documented: type) -> Any:
    """What is called of a class, by torch's name for it, by that of Keras, or by that of Python."""
    names = ("forward", "call", "__call__")
    return next((getattr(documented, name) for name in names if hasattr(documented, name)), None)
