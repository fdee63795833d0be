"""From a target to a model that can be looked at: made, called, with its recurrent parts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.errors import UsageError, first_line
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target
from rnn_harness.validation.models.construct_model import other_models
from rnn_harness.validation.models.find_arguments import ModelNotCalled, find_arguments
from rnn_harness.validation.models.model_arguments import ModelArguments
from rnn_harness.validation.models.recurrent_part import RecurrentPart, find_torch_parts
from rnn_harness.validation.models.run_model import copied_module
from rnn_harness.validation.models.under_test import (
    ModelUnderTest,
    watched_modules,
    with_generic_parameters,
)
from rnn_harness.validation.models.user_parts import UserPart, find_user_parts

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class UnderstoodModel:
    """A model of which it is known how it is called.

    Attributes:
        target: The target.
        module: The model, as it was made.
        dtype: The format in which it runs: float64, or float32 where it takes no other.
        arguments: Arguments that it takes.
        parts: Its recurrent parts.
        user_parts: Those of them that are classes of the user's, as targets.
    """

    target: Target
    module: nn.Module
    dtype: torch.dtype
    arguments: ModelArguments
    parts: tuple[RecurrentPart, ...]
    user_parts: tuple[UserPart, ...]

    def with_numbers(self, seed: int) -> ModelUnderTest:
        """The model with generic numbers in its parameters."""
        module = with_generic_parameters(copied_module(self.module), self.dtype, seed)
        watched = watched_modules(module, self.parts)
        return ModelUnderTest(self.target.name, module, self.arguments, self.parts, watched)


def has_recurrent_parts(target: Target) -> bool:
    """Say whether a target is a torch module in which torch's layers or cells stand, or is a layer of several."""
    if target.capabilities.library is not None:
        return False
    return any(find_torch_parts(module) for module in _modules(target))


def model_of(target: Target) -> UnderstoodModel | None:
    """Understand a target as a model; None where it has no recurrent parts, or cannot be called."""
    try:
        return understand(target) if has_recurrent_parts(target) else None
    except ModelNotCalled:
        return None


def understood_model(target: Target, error: UsageError) -> UnderstoodModel:
    """Understand as a model what cannot be driven or identified as a cell.

    Args:
        target: The target.
        error: Why it cannot.

    Raises:
        UsageError: It is no model either; with what it said when it was called as one.
    """
    if not has_recurrent_parts(target):
        raise error
    try:
        return understand(target)
    except ModelNotCalled as reason:
        raise UsageError(f"{error} As a model it could not be called either: {reason}") from None


def understand(target: Target) -> UnderstoodModel:
    """Find out how a model is called, and what its recurrent parts are.

    Args:
        target: A torch target.

    Raises:
        ModelNotCalled: No way of calling it is known; the message holds what it said.
    """
    import torch

    messages: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about dropout in one layer, and about weights in pieces
        for dtype in (torch.float64, torch.float32):
            for made in _modules(target):
                parts = find_torch_parts(made)
                try:
                    module = with_generic_parameters(copied_module(made), dtype, 0)
                    arguments = find_arguments(module, [part.name for part in parts], dtype)
                except ModelNotCalled as error:
                    messages.append(str(error))
                    continue
                except Exception as error:  # it cannot be copied or converted
                    messages.append(f"{type(error).__name__}: {first_line(error)}")
                    continue
                user_parts = tuple(find_user_parts(module, target.name, arguments))
                inside = tuple(f"{found.part.name}." for found in user_parts)
                remaining = tuple(part for part in parts if not inside or not part.name.startswith(inside))
                all_parts = (*(found.part for found in user_parts), *remaining)
                return UnderstoodModel(target, made, dtype, arguments, all_parts, user_parts)
    raise ModelNotCalled(next(iter(messages), "it cannot be made"))


def _modules(target: Target) -> Iterator[nn.Module]:
    """Yield the module of a target, and the same class with other sizes, where those of the trial do not fit."""
    sizes = target.capabilities.fixed_sizes or TRIAL_SIZES
    try:
        module = target.make_module(*sizes)
    except UsageError:
        return
    yield module
    if target.capabilities.fixed_sizes is None:
        yield from other_models(type(module))
