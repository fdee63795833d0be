"""The arguments of a model for a sequence of any sizes: lengths and masks that say where its rows end."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.validation.models.argument_names import is_lengths, is_mask
from rnn_harness.validation.models.model_arguments import ModelArgument, ModelArguments

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True)
class OptionalForm:
    """A way in which a model may be told where rows end, by an argument that may be left out.

    Attributes:
        name: The argument.
        mask_dtype: The format of a mask; None for lengths.
        is_of_padding: Whether a mask is true where a row has ended.
    """

    name: str
    mask_dtype: torch.dtype | None = None
    is_of_padding: bool = False

    def added_to(self, arguments: ModelArguments, lengths: Tensor, rows_axis: int) -> ModelArguments:
        """Return arguments with this one more.

        Args:
            arguments: The call without it.
            lengths: The lengths of the rows.
            rows_axis: Which of the first two axes of the sequence are the rows.
        """
        if self.mask_dtype is None:
            return arguments.with_argument(ModelArgument(self.name, "lengths", lengths, by_keyword=True))
        inside = _inside(arguments.sequence, lengths, rows_axis) != self.is_of_padding
        return arguments.with_argument(ModelArgument(self.name, "mask", inside.to(self.mask_dtype), by_keyword=True))


def optional_forms(module: nn.Module, arguments: ModelArguments) -> Iterator[OptionalForm]:
    """Yield the ways in which a model may be told where rows end, where its usual call does not say so.

    Args:
        module: The model, whose signature names its arguments.
        arguments: The usual call.
    """
    import torch

    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return
    given = {argument.name for argument in arguments.arguments}
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    further = [p.name for p in parameters if p.kind in by_name and p.name not in given]
    yield from (OptionalForm(name) for name in further if is_lengths(name))
    number = next(module.parameters()).dtype
    for name in filter(is_mask, further):
        for dtype, is_of_padding in itertools.product((torch.bool, number), (False, True)):
            yield OptionalForm(name, dtype, is_of_padding)


def with_rows(arguments: ModelArguments, sequence: Tensor, lengths: Tensor, rows_axis: int) -> ModelArguments:
    """Return arguments for another sequence, with what they say of its rows in its own sizes.

    Args:
        arguments: A call that the model takes, with whole rows.
        sequence: Numbers or tokens, with steps and rows as the first two axes.
        lengths: The lengths of the rows.
        rows_axis: Which of the two are the rows.
    """
    grid = tuple(arguments.sequence.shape[: len(arguments.grid)])
    changed = arguments.with_sequence(sequence)
    for argument in arguments.arguments:
        if argument.role == "lengths":
            changed = changed.with_value(argument.name, lengths.to(argument.value.dtype))
        elif argument.role == "mask" and tuple(argument.value.shape) == grid:
            inside = _inside(sequence, lengths, rows_axis) != is_mask_of_padding(argument)
            changed = changed.with_value(argument.name, inside.to(argument.value.dtype))
    return changed


def is_mask_of_padding(argument: ModelArgument) -> bool:
    """Say whether a mask that a model must be given is true where a row has ended, as its usual value or name says.

    Args:
        argument: The mask of the usual call, in which no step is padding.
    """
    return not argument.value.any() or "padding" in argument.name


def _inside(sequence: Tensor, lengths: Tensor, rows_axis: int) -> Tensor:
    """Return which steps are inside of their rows, (B, T) or (T, B) as the sequence has them."""
    import torch

    inside = torch.arange(sequence.shape[1 - rows_axis]) < lengths[:, None]
    return inside if rows_axis == 0 else inside.T
