"""Does a mask do what the documentation of the model says: does what is marked as present count?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_harness.validation.cells.documented_mask import DocumentedMask, documented_mask
from rnn_harness.validation.models.model_arguments import ModelArgument, ModelArguments
from rnn_harness.validation.models.statement import WiringStatement, agrees, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "masks"


def check_masks(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Mark a sequence of one step as present everywhere, then as missing: what is present must count.

    Args:
        model: The model. A mask has the shape of its sequence, or one number for each step and row.
    """
    for argument in model.arguments.arguments:
        documented = documented_mask(model.module, argument.name) if _is_mask(argument, model.arguments) else None
        if documented is not None:
            yield _statement(model, argument, documented)


def _is_mask(argument: ModelArgument, arguments: ModelArguments) -> bool:
    """Whether an argument has a number for every number of the sequence, or for every place of it."""
    import torch

    shape = arguments.sequence.shape
    shapes = (shape, tuple(shape[axis] for axis in arguments.grid))
    is_tensor = isinstance(argument.value, torch.Tensor) and argument.role != "sequence"
    return is_tensor and tuple(argument.value.shape) in shapes


def _statement(model: ModelUnderTest, mask: ModelArgument, documented: DocumentedMask) -> WiringStatement:
    """Say whether what is marked as present counts, in the sequences of one step that the model takes."""
    reason = f"it is said: {documented.words!r}"
    for axis in model.arguments.grid:
        counts = [_counts(model, axis, mask.name, value) for value in (documented.counting, 1 - documented.counting)]
        if counts == [False, True]:
            return refuted(
                CHECK,
                f"{mask.name} is turned around: in one step the sequence counts where it is {1 - documented.counting}, "
                f"and not where it is {documented.counting}, but {reason}",
                mask.name,
            )
        if counts == [True, False]:
            return agrees(CHECK, f"{mask.name} does what is said of it", mask.name)
    return not_run(CHECK, f"the sequence counts whatever {mask.name} is, or never, in one step; {reason}")


def _counts(model: ModelUnderTest, axis: int, mask: str, value: int) -> bool | None:
    """Whether other numbers in a sequence of one step change what comes back; None where it is not taken."""
    import torch

    steps = model.arguments.sequence.shape[axis]

    def cut(argument: ModelArgument) -> Tensor:
        tensor: Tensor = argument.value
        if tensor.shape[axis] == steps:
            tensor = tensor.narrow(axis, 0, 1)
        return torch.full_like(tensor, value) if argument.name == mask else tensor

    arguments = model.arguments
    for argument in model.arguments.arguments:
        if argument.role == "sequence" or _is_mask(argument, model.arguments):
            arguments = arguments.with_value(argument.name, cut(argument))
    before, after = model.runs(arguments), model.runs(arguments.moved((0,) * len(arguments.grid)))
    if before is None or after is None or len(before.outputs) != len(after.outputs):
        return None
    pairs = zip(after.outputs, before.outputs, strict=True)
    return any(bool(model.clear_difference(a, b).any()) for a, b in pairs)
