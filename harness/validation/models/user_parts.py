"""Modules of the user's inside a model that are recurrent cells or layers themselves."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.calling_convention import flat_tensors
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.identification.identify import identify, target_layouts
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.loading.convolutional_target import convolutional_target
from rnn_harness.validation.loading.spatial_states import axes_of_space
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.models.model_arguments import ModelArguments
from rnn_harness.validation.models.recurrent_part import RecurrentPart, torch_family
from rnn_harness.validation.models.run_model import ModuleCall, run_model

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

FEWEST_CALLS = 4


@dataclass(frozen=True)
class UserPart:
    """A module of the user's that carries a state.

    Attributes:
        part: Its name and sizes, as those of a recurrent part.
        target: The module as a target of its own, at its own sizes.
    """

    part: RecurrentPart
    target: Target


def find_user_parts(model: nn.Module, name: str, arguments: ModelArguments) -> Iterator[UserPart]:
    """Yield the outermost modules of the user's inside a model that are driven and identified as cells.

    A module that is driven, is no known cell, and is handed its own states from call to call is one, too, unless it
    consists of others.

    Args:
        model: The model; its modules are driven by themselves.
        name: What the user calls it.
        arguments: Arguments that it takes.
    """
    candidates = [place for place, module in model.named_modules() if place and may_be_cell(module)]
    if not candidates:
        return
    run = run_model(model, arguments, candidates)
    inside: list[str] = []
    for place in candidates:
        calls = run.of(place)
        if not calls or place.startswith(tuple(f"{outer}." for outer in inside)):
            continue
        part = _as_cell(model.get_submodule(place), f"{name}.{place}", place, calls)
        if part is not None:
            inside.append(place)
            yield part


def may_be_cell(module: nn.Module) -> bool:
    """Say whether a module is one of the user's with parameters of a recurrence, and none of torch's.

    Args:
        module: A module inside a model.
    """
    is_torch = type(module).__module__.startswith("torch.") or bool(torch_family(module))
    return not is_torch and sum(parameter.dim() > 1 for parameter in module.parameters()) > 0


def _as_cell(module: nn.Module, name: str, place: str, calls: Sequence[ModuleCall]) -> UserPart | None:
    """Drive a module as a cell at the sizes at which it was called; None if it is none."""
    inputs, outputs = list(flat_tensors(calls[0].arguments)), list(flat_tensors(calls[0].result))
    if not inputs or not outputs:
        return None
    if axes_of_space(module):
        return _as_convolutional_cell(module, name, place, calls)
    for n, d in dict.fromkeys(
        (x.shape[-1], y.shape[-1]) for x in inputs[:2] for y in outputs[:1] if x.dim() and y.dim()
    ):
        target = Target(
            name,
            functools.partial(_copied, module),
            TargetCapabilities(fixed_sizes=CellSizes(n, d)),
        )
        try:
            probe = probe_target(target)
        except UsageError:
            continue
        if _is_known(target, probe) or (_carries_state(calls) and not _has_torch_parts(module)):
            return UserPart(_part(module, place, n, d, probe), target)
    return None


def _as_convolutional_cell(module: nn.Module, name: str, place: str, calls: Sequence[ModuleCall]) -> UserPart | None:
    """Drive a module with convolutions as a cell of vectors; None if it is no known cell and carries no state."""
    axes = axes_of_space(module)
    arguments = [tensor for tensor in flat_tensors(calls[0].arguments) if tensor.dim() > axes]
    states = [tensor for tensor in flat_tensors(calls[0].result) if tensor.dim() > axes]
    if not arguments or not states:
        return None
    channels = CellSizes(*(tensors[0].shape[-1 - axes] for tensors in (arguments, states)))
    target = convolutional_target(name, module, channels)
    if target is None:
        return None
    probe = probe_target(target)
    if not _carries_state(calls) and not _is_known(target, probe):
        return None
    return UserPart(replace(_part(module, place, *channels, probe), space=axes), target)


def _is_known(target: Target, probe: Probe) -> bool:
    """Whether a target is a cell of the three families."""
    try:
        target_layouts(target, probe)
        return bool(identify(target, probe))
    except UsageError:  # its parameters are those of no such cell
        return False


def _copied(module: nn.Module, _n: int, _d: int) -> nn.Module:
    """A copy of a module, whatever sizes are asked for: it exists for its own."""
    return copy.deepcopy(module)


def _part(module: nn.Module, place: str, n: int, d: int, probe: Probe) -> RecurrentPart:
    """Describe a module that is driven as a cell."""
    convention = probe.convention
    name = type(module).__name__
    return RecurrentPart(place, (), name, "", convention.sequence, n, d, batch_first=convention.batch_first)


def _has_torch_parts(module: nn.Module) -> bool:
    """Whether torch's recurrent modules stand inside of a module."""
    return any(torch_family(child) for child in module.modules())


def _carries_state(calls: Sequence[ModuleCall]) -> bool:
    """Whether a module is handed, in every call, something that it gave in the call before."""
    if len(calls) < FEWEST_CALLS:
        return False
    pairs = itertools.pairwise(calls)
    return all(_shares_tensor(list(flat_tensors(a.result)), list(flat_tensors(b.arguments))) for a, b in pairs)


def _shares_tensor(given: Sequence[Tensor], taken: Sequence[torch.Tensor]) -> bool:
    """Whether one of the tensors that were given is among those that are taken."""
    return any(a is b or (a.shape == b.shape and bool((a == b).all())) for a in given for b in taken)
