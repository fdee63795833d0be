"""A module that has not been called, beside the one that is."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def copied_module(module: nn.Module) -> nn.Module:
    """Copy a module; one that cannot be copied is returned itself.

    Args:
        module: A module, whose parameters and buffers are copied with it.
    """
    try:
        return copy.deepcopy(module)
    except Exception:  # a tensor with a graph, or an object of the user's, cannot be copied
        return module
