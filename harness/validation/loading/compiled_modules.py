"""Modules of JAX at several sizes: what is compiled for some sizes serves every module of them."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn

    from rnn_harness.validation.loading.adapters.adapter import DrivenModule


@runtime_checkable
class MakesForGivenParameters(Protocol):
    """Makes modules that are given the values of their parameters with every call, so that none need be drawn."""

    def for_given_parameters(self, n: int, d: int) -> nn.Module:
        """Make a module whose parameters have their shapes, and any values.

        Args:
            n: The input size.
            d: The hidden size.
        """


class CompiledModuleMaker:
    """Makes modules of (input size, hidden size) of which those of the same sizes share what is compiled.

    Args:
        drive: Drives a new cell of (input size, hidden size), with initial values or without.
    """

    def __init__(self, drive: Callable[[int, int, bool], DrivenModule]) -> None:
        self._drive = functools.lru_cache(maxsize=64)(drive)

    def __call__(self, n: int, d: int) -> nn.Module:
        """Make a module with its initial values.

        Args:
            n: The input size.
            d: The hidden size.
        """
        return copy.deepcopy(self._drive(n, d, True).module)

    def for_given_parameters(self, n: int, d: int) -> nn.Module:
        """Make a module whose parameters have their shapes, and any values.

        Args:
            n: The input size.
            d: The hidden size.
        """
        return copy.deepcopy(self._drive(n, d, False).module)


def module_for_given_parameters(
    make_module: Callable[[int, int], nn.Module], n: int, d: int, given: frozenset[str]
) -> nn.Module:
    """Make a module that is given parameters with every call; those that it is not given keep their initial values.

    Args:
        make_module: Makes the module.
        n: The input size.
        d: The hidden size.
        given: The names of the parameters that it is given.
    """
    maker: object = make_module
    if isinstance(maker, MakesForGivenParameters):
        module = maker.for_given_parameters(n, d)
        if given.issuperset(name for name, _ in module.named_parameters()):
            return module
    return make_module(n, d)
