"""What a module says about itself: its docstrings and the comments of its forward."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from rnn_harness.attributes import member

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
    yield from class_texts(module.documented_class if isinstance(module, StandsForClass) else type(module))


def class_texts(documented: type) -> Iterator[str]:
    """Yield the docstrings of a class and of its forward, and the comments of its forward.

    Args:
        documented: A class of torch, of Keras, or of any library whose objects are called.
    """
    yield from filter(None, (inspect.getdoc(documented),))
    yield from function_texts(_forward_of(documented))


def function_texts(function: Any) -> Iterator[str]:
    """Yield the docstring of a function, and the comments in it.

    Args:
        function: A function or method; where it was made without a source, there are no comments.
    """
    yield from filter(None, (inspect.getdoc(function),))
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):  # it was made where there is no source
        return
    yield from (line.partition("#")[2] for line in source.splitlines() if "#" in line)


def _forward_of(documented: type) -> Any:
    """What is called of a class, by torch's name for it, by that of Keras, or by that of Python."""
    names = ("forward", "call", "__call__")
    return next((member(documented, name) for name in names if hasattr(documented, name)), None)
