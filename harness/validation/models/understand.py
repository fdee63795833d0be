"""From a target to a model that can be looked at: made, called, with its recurrent parts."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.errors import UsageError, first_line
from rnn_harness.validation.loading.adapters.adapter import HoldsParts
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.loading.made_states import with_made_state
from rnn_harness.validation.loading.named_arguments import named_arguments
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target
from rnn_harness.validation.loading.undriven import with_second_reason
from rnn_harness.validation.models.example_inputs import has_example_inputs
from rnn_harness.validation.models.find_arguments import ModelNotCalled, find_arguments
from rnn_harness.validation.models.first_run import with_first_run
from rnn_harness.validation.models.held_parts import held_arguments, held_user_parts, is_watched
from rnn_harness.validation.models.model_arguments import ModelArguments
from rnn_harness.validation.models.recurrent_part import RecurrentPart, find_torch_parts, torch_family
from rnn_harness.validation.models.run_model import run_model
from rnn_harness.validation.models.under_test import (
    ModelUnderTest,
    watched_modules,
    with_generic_parameters,
)
from rnn_harness.validation.models.user_parts import UserPart, find_user_parts, may_be_cell

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class UnderstoodModel:
    """A model of which it is known how it is called.

    Attributes:
        target: What the user named, which makes the model.
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

    @property
    def is_sure(self) -> bool:
        """Whether it has recurrent parts, or what it is called with is known, so that the call makes sense."""
        is_known = isinstance(self.module, HoldsParts) and len(self.arguments.arguments) > 1
        has_parts = bool(self.parts or self.user_parts)
        return has_parts or is_known or self.arguments.vocabulary > 0 or has_example_inputs(self.module)

    def with_numbers(self, seed: int) -> ModelUnderTest:
        """Return a copy of the model with generic numbers in its parameters.

        Args:
            seed: Where the numbers start; the same seed gives the same numbers.
        """
        module = with_generic_parameters(copied_module(self.module), self.dtype, seed)
        watched = watched_modules(module, self.parts)
        return ModelUnderTest(self.target.name, module, self.arguments, self.parts, watched)


def may_be_model(target: Target) -> bool:
    """Say whether a target is a torch module with parts that may be recurrent, or with tokens in front of them.

    Args:
        target: The target; it is made, but not called.
    """
    from torch import nn

    if target.capabilities.has_parts:
        return True
    if target.capabilities.library is not None or target.capabilities.device != "cpu":
        return False
    return any(
        has_example_inputs(module)
        or any(isinstance(child, nn.Embedding) or torch_family(child) or may_be_cell(child) for child in children)
        for module in _modules(target)
        if (children := [child for name, child in module.named_modules() if name or torch_family(module)])
    )


def model_of(target: Target) -> UnderstoodModel | None:
    """Understand a target as a model; None where it has no recurrent parts, or cannot be called.

    Args:
        target: The target; it is made, and called in the ways in which models are.
    """
    try:
        model = understand(target) if may_be_model(target) else None
    except ModelNotCalled:
        return None
    return model if model is not None and model.is_sure else None


def understood_model(target: Target, error: UsageError) -> UnderstoodModel:
    """Understand as a model what cannot be driven or identified as a cell.

    Args:
        target: What the user named; it is made, and called.
        error: Why it cannot.

    Raises:
        UsageError: It is no model either; with what it said when it was called as one.
    """
    if target.capabilities.device != "cpu":
        raise UsageError(
            f"{error}\nOn {target.capabilities.device} cells alone are driven: leave --device out for a model"
        )
    if not may_be_model(target):
        raise error
    try:
        model = understand(target)
    except ModelNotCalled as reason:
        raise UsageError(
            with_second_reason(str(error), f"As a model it could not be called either: {reason}")
        ) from None
    if not model.is_sure:
        raise error
    return model


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
            for original in _modules(target):
                parts = find_torch_parts(original)
                try:
                    if isinstance(original, HoldsParts):
                        if str(dtype).removeprefix("torch.") not in original.model_inputs.dtypes:
                            continue
                        return _understood_parts(target, original, dtype)
                    module = with_generic_parameters(copied_module(original), dtype, 0)
                    arguments = find_arguments(module, [part.name for part in parts], dtype)
                except ModelNotCalled as error:
                    messages.append(str(error))
                    continue
                except Exception as error:  # it cannot be copied or converted
                    messages.append(f"{type(error).__name__}: {first_line(error)}")
                    continue
                user_parts = tuple(find_user_parts(module, target.name, arguments))
                inside = tuple(f"{user_part.part.name}." for user_part in user_parts)
                remaining = tuple(part for part in parts if not inside or not part.name.startswith(inside))
                all_parts = (*(user_part.part for user_part in user_parts), *remaining)
                return UnderstoodModel(target, original, dtype, arguments, all_parts, user_parts)
    raise ModelNotCalled(next(iter(messages), "it cannot be made"))


def _understood_parts(target: Target, original: HoldsParts, dtype: torch.dtype) -> UnderstoodModel:
    """Understand a model of another library, which says what it holds and takes."""
    from torch import nn

    assert isinstance(original, nn.Module), "what stands for a model is a torch module"
    module = with_generic_parameters(copied_module(original), dtype, 0)
    user_parts = held_user_parts(original, target.name)
    arguments = held_arguments(module, dtype)
    parts = [user_part.part for user_part in user_parts if is_watched(original, user_part.part)]
    called = {call.name for call in run_model(module, arguments, [part.name for part in parts]).calls}
    watched = tuple(part for part in parts if part.name in called)
    return UnderstoodModel(target, original, dtype, arguments, watched, user_parts)


def _modules(target: Target) -> Iterator[nn.Module]:
    """Yield the module of a target, and the same class with other sizes, where those of the trial do not fit."""
    sizes = target.capabilities.fixed_sizes or TRIAL_SIZES
    try:
        module = target.make_module(*sizes)
    except UsageError:
        return
    yield with_first_run(module)
    named = named_arguments(type(module), {}) if target.capabilities.fixed_sizes is None else None
    if named is not None:
        with contextlib.suppress(Exception):  # a constructor may raise anything
            yield with_first_run(with_made_state(type(module)(**named)))
