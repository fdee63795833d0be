"""What a module says about itself: its docstrings and the comments of its forward."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def documentation_texts(module: nn.Module) -> Iterator[str]:
    """Yield the docstrings of the class and of its forward, and the comments of its forward.

    Args:
        module: The module; where it was made without a source, there are no comments.
    """
    yield from filter(None, (inspect.getdoc(type(module)), inspect.getdoc(type(module).forward)))
    try:
        source = inspect.getsource(type(module).forward)
    except (OSError, TypeError):  # it was made where there is no source
        return
    yield from (line.partition("#")[2] for line in source.splitlines() if "#" in line)
