"""A state that goes from step to step times a number that the model is given, as a mask at the ends of episodes is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnn_harness.validation.models.model_arguments import ModelArgument, named_tensors
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor


def scaling_argument(model: ModelUnderTest, state: Tensor, earlier_states: Sequence[Tensor]) -> str:
    """Name the argument whose numbers a state was multiplied by, one for each row, since it was given.

    Args:
        model: The model, which was run on its usual arguments.
        state: The state (B, d) that goes into a call.
        earlier_states: The states that came out of the call before.

    Returns:
        The name; empty where the state is no such multiple of what was given.
    """
    candidates = (_row_factors(model, state, earlier) for earlier in earlier_states)
    factors = next((factor for factor in candidates if factor is not None), None)
    if factors is None:
        return ""
    usable = (a for a in model.arguments.arguments if a.role in ("mask", "further"))
    return next((argument.name for argument in usable if _has_numbers(model, argument, factors)), "")


def _row_factors(model: ModelUnderTest, state: Tensor, earlier: Tensor) -> Tensor | None:
    """The number of each row by which a state differs from an earlier one; None where there is none."""
    if state.shape != earlier.shape or state.dim() < 2 or not bool((earlier != 0).all()):
        return None
    ratios = (state / earlier).reshape(len(state), -1)
    factors = ratios[:, :1]
    return factors if bool(((ratios - factors).abs() <= model.tolerance * (1 + factors.abs())).all()) else None


def _has_numbers(model: ModelUnderTest, argument: ModelArgument, factors: Tensor) -> bool:
    """Whether each factor is a number of an argument, or 1 less it."""
    import torch

    tensors = [tensor for _, tensor in named_tensors(argument.value) if tensor.is_floating_point()]
    if not tensors:
        return False
    numbers = torch.cat([tensor.reshape(-1) for tensor in tensors])
    gaps = ((factors - candidates).abs().min(1).values for candidates in (numbers, 1 - numbers))
    return any(bool((gap <= model.tolerance * 2).all()) for gap in gaps)
