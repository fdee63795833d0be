"""Models of other libraries than torch: what they are called with, and the parts that they say they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnn_harness.errors import UsageError, first_line
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import FurtherInput, HeldPart, HoldsParts
from rnn_harness.validation.loading.target import Target, target_of_part
from rnn_harness.validation.models.find_arguments import ModelNotCalled
from rnn_harness.validation.models.model_arguments import ModelArgument, ModelArguments
from rnn_harness.validation.models.model_sizes import read_sizes
from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.run_model import run_model
from rnn_harness.validation.models.user_parts import UserPart

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


def is_watched(module: nn.Module, part: RecurrentPart) -> bool:
    """Say whether the calls of a part of a model can be seen.

    Args:
        module: The model.
        part: One of its recurrent parts.
    """
    if not isinstance(module, HoldsParts):
        return True
    return any(held.is_watched for held in module.held_parts if held.name == part.name)


def held_user_parts(model: HoldsParts, name: str) -> tuple[UserPart, ...]:
    """Make targets of the parts that a model says it holds.

    Args:
        model: The module that stands for the model.
        name: What the user calls the model.
    """
    return tuple(UserPart(_described(held), _target(f"{name}.{held.name}", held)) for held in model.held_parts)


def _target(name: str, held: HeldPart) -> Target:
    """The target of a part; one that raises when it is made, where the part cannot be driven: the others can be."""
    try:
        return target_of_part(name, held)
    except UsageError as error:
        message = str(error)

    def make_module(_n: int, _d: int) -> nn.Module:
        raise UsageError(message)

    return Target(name, make_module, TargetCapabilities())


def _described(held: HeldPart) -> RecurrentPart:
    """A part as any model has it."""
    n, d = held.sizes
    return RecurrentPart(held.name, (), held.class_name, "", held.is_layer, n, d, batch_first=held.is_layer)


def held_arguments(module: nn.Module, dtype: torch.dtype) -> ModelArguments:
    """Make the arguments of a model that says what it is called with: generic numbers (B, T, n), or tokens (B, T).

    All rows have their full length, and no step is padding.

    Args:
        module: The model, in evaluation mode.
        dtype: The format of its numbers.

    Raises:
        ModelNotCalled: It raises for them.
    """
    import torch

    assert isinstance(module, HoldsParts), "only such a model says what it is called with"
    inputs, generator = module.model_inputs, torch.Generator().manual_seed(3)
    free = read_sizes(module).free_sizes
    shape = (inputs.lengths[0] or free[1], inputs.lengths[1] or free[0])

    def numbers(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)

    def tokens(vocabulary: int) -> Tensor:
        return torch.randint(1, vocabulary, shape, generator=generator)

    def further(known: FurtherInput) -> ModelArgument:
        if known.role == "lengths":
            rows, steps = shape[inputs.rows_axis], shape[1 - inputs.rows_axis]
            return ModelArgument(known.name, "lengths", torch.full((rows,), steps))
        if known.role == "state":
            sizes = (size or shape[inputs.rows_axis] for size in known.shape)
            return ModelArgument(known.name, "state", numbers(*sizes) / 2)
        if known.role != "sequence":
            return ModelArgument(known.name, "mask", torch.full(shape, known.role == "mask"))
        value = tokens(known.vocabulary) if known.vocabulary else numbers(*shape, known.features)
        return ModelArgument(known.name, "further", value)

    grid = (0,) if inputs.is_step else (0, 1)
    sequence = tokens(inputs.vocabulary) if inputs.vocabulary else numbers(*shape[: len(grid)], inputs.features)
    given = (ModelArgument("x", "sequence", sequence), *map(further, inputs.further))
    arguments = ModelArguments(given, grid, inputs.vocabulary)
    try:
        run_model(module, arguments)
    except Exception as error:  # a user's model may raise anything
        shown = " and ".join(str(tuple(argument.value.shape)) for argument in given)
        raise ModelNotCalled(f"called with {shown} it raised {type(error).__name__}: {first_line(error)}") from None
    return arguments
