"""A model run on rows of several lengths, which it is told where it has an argument for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.comparison.model_description import PaddedOutputs, PaddedRows
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.validation.loading.adapters.adapter import HoldsParts
from rnn_harness.validation.models.given_lengths import OptionalForm, optional_forms, with_rows
from rnn_harness.validation.models.model_arguments import ModelArguments
from rnn_harness.validation.models.run_model import run_model
from rnn_harness.validation.models.understand import UnderstoodModel

if TYPE_CHECKING:
    from torch import Tensor, nn


def first_outputs(
    model: UnderstoodModel, module: nn.Module, sequence: Tensor
) -> tuple[PlainArray | None, PlainArray | None]:
    """Run a model on a sequence, no step of which is padding, in both orders of its axes.

    Args:
        model: How it is called.
        module: The model with its weights.
        sequence: (T, B, n), or tokens (T, B).

    Returns:
        What it gave first for (T, B, n), and for (B, T, n) with the first two axes exchanged; None where it does not
        take that.
    """
    outputs = []
    for rows_axis, in_order in ((1, sequence), (0, sequence.transpose(0, 1))):
        outputs.append(_plain(_first(module, _unpadded(model, module, in_order, rows_axis)), rows_axis))
    return outputs[0], outputs[1]


def padded_outputs(model: UnderstoodModel, module: nn.Module, rows: PaddedRows, sequence: Tensor) -> PaddedOutputs:
    """Run a model on rows of several lengths, in both orders of its axes.

    Args:
        model: How it is called.
        module: The model with its weights.
        rows: The lengths of the rows, and their numbers as they were sent.
        sequence: Their numbers or tokens.
    """
    import torch

    lengths = torch.tensor(rows.lengths)
    names: dict[str, None] = {}
    outputs = []
    for rows_axis, in_order in ((1, sequence), (0, sequence.transpose(0, 1))):
        unpadded = _unpadded(model, module, in_order, rows_axis)
        arguments = with_rows(unpadded, in_order, lengths, rows_axis)
        arguments_of_lengths = [
            argument.name for argument in arguments.arguments if argument.role in ("lengths", "mask")
        ]
        form = None if arguments_of_lengths else _fitting_form(module, unpadded, rows_axis)
        if form is not None:
            arguments = form.added_to(arguments, lengths, rows_axis)
        output = _plain(_first(module, arguments), rows_axis)
        if output is not None:
            names |= dict.fromkeys([form.name] if form is not None else arguments_of_lengths)
        outputs.append(output)
    return PaddedOutputs(", ".join(names), outputs[0], outputs[1], _is_read_from_name(model))


def _unpadded(model: UnderstoodModel, module: nn.Module, sequence: Tensor, rows_axis: int) -> ModelArguments:
    """Return the usual arguments of a model for a sequence, no step of which is padding."""
    import torch

    usual = model.arguments.to(next(module.parameters()).dtype)
    lengths = torch.full((sequence.shape[rows_axis],), sequence.shape[1 - rows_axis])
    return with_rows(usual, sequence, lengths, rows_axis)


def _fitting_form(module: nn.Module, unpadded: ModelArguments, rows_axis: int) -> OptionalForm | None:
    """Find the form in which whole rows give what they give without it; None where there is none."""
    import torch

    usual = _first(module, unpadded)
    if usual is None:
        return None
    limit = STRUCTURAL[str(next(module.parameters()).dtype).removeprefix("torch.")]
    lengths = torch.full((unpadded.sequence.shape[rows_axis],), unpadded.sequence.shape[1 - rows_axis])
    for form in optional_forms(module, unpadded):
        computed = _first(module, form.added_to(unpadded, lengths, rows_axis))
        if computed is not None and computed.shape == usual.shape:
            scale = float(usual.abs().max()) or 1.0
            if float((computed - usual).abs().max()) <= limit * scale:
                return form
    return None


def _first(module: nn.Module, arguments: ModelArguments) -> Tensor | None:
    """Return what a model gives first; None where it does not take the arguments."""
    try:
        output = run_model(module, arguments).outputs[0]
    except Exception:  # the model may take no other lengths than its own, or sequences in the other order alone
        return None
    return output.detach() if output.numel() else None


def _plain(output: Tensor | None, rows_axis: int) -> PlainArray | None:
    """Return an output in float64; of a sequence with rows first, with the first two axes exchanged."""
    if output is None:
        return None
    array = to_numpy(output).astype(np.float64)
    return PlainArray.of(np.swapaxes(array, 0, 1) if rows_axis == 0 and array.ndim > 1 else array)


def _is_read_from_name(model: UnderstoodModel) -> bool:
    """Whether nothing but the name of a mask that a model must be given says where it is true."""
    return bool(model.arguments.of_role("mask")) and not isinstance(model.module, HoldsParts)
