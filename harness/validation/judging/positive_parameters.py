"""Parameters that are positive by what they are, as the variances of a normalisation: negative ones are no numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.loading.target import Target

if TYPE_CHECKING:
    from torch import Tensor, nn


def with_positive_kept(target: Target, probe: Probe) -> tuple[Target, Probe]:
    """Keep the parameters of a target that are positive as it is made, and with negative numbers give NaN.

    Args:
        target: The candidate.
        probe: Runs of it, with parameters of both signs.

    Returns:
        The target, in which they are constants, and runs of that; both as they are where NaN has another cause.
    """
    names = _positive(probe) if probe.gives_nan() else ()
    if not names:
        return target, probe
    listed = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
    note = f"{listed} positive as it is made, and gives NaN elsewhere: kept at positive numbers, and not differentiated"
    capabilities = replace(target.capabilities, notes=(*target.capabilities.notes, note))
    make_module = functools.partial(_module_with_kept, target.make_module, names)
    with_constants = replace(target, make_module=make_module, capabilities=capabilities)
    return with_constants, probe_target(with_constants)


def _positive(probe: Probe) -> tuple[str, ...]:
    """Name the parameters that are positive as a target is made, and from which NaN comes where they are negative."""
    initial = {name: to_numpy(value) for name, value in probe.module.named_parameters()}
    candidates = [name for name, value in initial.items() if value.size and (value > 0).all()]
    positive = {name: np.abs(probe.parameters[name]) for name in candidates}
    parameters = {**probe.parameters, **positive}
    if _gives_nan(probe, parameters):
        return ()
    return tuple(name for name in candidates if _gives_nan(probe, {**parameters, name: -positive[name]}))


def _gives_nan(probe: Probe, parameters: dict[str, Array]) -> bool:
    return replace(probe, parameters=parameters, _responses={}).gives_nan()


def _module_with_kept(
    make_module: Callable[[int, int], nn.Module], names: tuple[str, ...], input_size: int, hidden_size: int
) -> nn.Module:
    """Make a module of a target with buffers of positive numbers in the place of some parameters."""
    module = make_module(input_size, hidden_size)
    for name in names:
        owner, _, attribute = name.rpartition(".")
        part = module.get_submodule(owner)
        value = part.get_parameter(attribute).detach()
        delattr(part, attribute)
        part.register_buffer(attribute, _positive_numbers(value))
    return module


def _positive_numbers(like: Tensor) -> Tensor:
    """Return numbers between 1/2 and 3/2 in the shape of others: the same in all modules of one size."""
    import torch

    places = torch.arange(like.numel(), dtype=torch.float64)
    return (1 + torch.sin(1 + places) / 2).reshape(like.shape).to(like.dtype)
