"""Weights that a module computes from other parameters: torch's parametrizations, weight_norm, spectral_norm, pruning.

What is judged then is the cell with those weights as its parameters. How torch computes them is torch's own affair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class EffectiveWeights:
    """A module whose computed weights are parameters.

    Attributes:
        module: The module as it is driven.
        names: The weights that were computed, each with what computed it.
    """

    module: nn.Module
    names: tuple[tuple[str, str], ...]

    def notes(self) -> tuple[str, ...]:
        """Return what to say of it; nothing where no weight was computed."""
        listed = ", ".join(f"{name} ({by})" for name, by in self.names)
        return (f"judged on the effective weights: {listed}",) if self.names else ()


def with_effective_weights(module: nn.Module) -> EffectiveWeights:
    """Make the weights that torch's own tools compute parameters of a module; the module is changed.

    Args:
        module: A torch module, with parametrisations or weight normalisation or without.
    """
    names = [*_parametrized(module), *_hooked(module)]
    return EffectiveWeights(module, tuple(names))


def _parametrized(module: nn.Module) -> Iterator[tuple[str, str]]:
    """Remove torch's parametrizations, so that what they computed stays."""
    from torch.nn.utils import parametrize

    for prefix, part in list(module.named_modules()):
        if not parametrize.is_parametrized(part):
            continue
        for name in list(part.parametrizations):
            tools = part.parametrizations[name]
            by = " and ".join(type(tool).__name__.strip("_") for tool in tools)
            parametrize.remove_parametrizations(part, name, leave_parametrized=True)
            yield _full_name(prefix, name), by


def _hooked(module: nn.Module) -> Iterator[tuple[str, str]]:
    """Remove the hooks of torch's older tools, so that what they computed stays."""
    from torch.nn.utils import prune, remove_spectral_norm, remove_weight_norm
    from torch.nn.utils.spectral_norm import SpectralNorm
    from torch.nn.utils.weight_norm import WeightNorm

    for prefix, part in list(module.named_modules()):
        for hook in list(part._forward_pre_hooks.values()):  # noqa: SLF001  # torch lists hooks nowhere else
            if isinstance(hook, WeightNorm):
                remove_weight_norm(part, hook.name)
                yield _full_name(prefix, hook.name), "weight_norm"
            elif isinstance(hook, SpectralNorm):
                remove_spectral_norm(part, hook.name)
                yield _full_name(prefix, hook.name), "spectral_norm"
            elif isinstance(hook, prune.BasePruningMethod):
                name = hook._tensor_name  # noqa: SLF001  # its only name of the weight
                prune.remove(part, name)  # type: ignore[no-untyped-call]
                yield _full_name(prefix, name), "pruned"


def _full_name(prefix: str, name: str) -> str:
    """The name of a parameter of a part."""
    return f"{prefix}.{name}" if prefix else name
