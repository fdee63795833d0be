"""A mask over the positions of a context, as attention has one: what stands at a masked position matters to nothing."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from rnn_harness.errors import NotRun
from rnn_harness.validation.consistency.consistency_property import Draw, Property, Violation, differs
from rnn_harness.validation.consistency.driven_cell import CellArguments, DrivenCell
from rnn_harness.validation.loading.context_inputs import ContextStep, StepOfOneInput

_FAR_BELOW = (float("-inf"), -1e9)
"""What a mask that is added to scores holds where a position does not count."""


def _context_mask(draw: Draw) -> Violation | None:
    """Mask the last position: a change of what stands there must reach nothing, as long as others still do."""
    cell, module = draw.cell, draw.cell.module
    if not isinstance(module, StepOfOneInput) or not module.joined.masks:
        raise NotRun("it takes no mask over the positions of a context")
    joined = module.joined
    arguments = draw.arguments(steps=1)
    shifted = [_shifted(joined, arguments, position) for position in (joined.positions - 1, 0)]
    if not all(differs(draw, cell.run(each), cell.run(arguments), arguments) for each in shifted):
        raise NotRun("the positions of its contexts have no influence without a mask either")
    for masks in _masks_of_last(joined, arguments):
        masked = _with_masks(cell, masks)
        with contextlib.suppress(Exception):  # a mask that it need not take
            usual, last, first = (masked.run(each) for each in (arguments, *shifted))
            if not all(bool(torch.isfinite(value).all()) for value in usual.tensors):
                continue
            if not differs(draw, last, usual, arguments) or not differs(draw, first, usual, arguments):
                return None
    names = ", ".join(mask.name for mask in joined.masks)
    sentence = f"what stands at a position that {names} leaves out still reaches the new state, in every form of a mask"
    return Violation("forward: mask", sentence)


def _with_masks(cell: DrivenCell, masks: tuple[Tensor, ...]) -> DrivenCell:
    """The cell with these masks in every call."""
    module = copy.deepcopy(cell.module)
    assert isinstance(module, StepOfOneInput), "a step with contexts is driven as one input"
    module.masks = masks
    return replace(cell, module=module)


def _masks_of_last(joined: ContextStep, arguments: CellArguments) -> Iterator[tuple[Tensor, ...]]:
    """Yield masks (B, S) that leave out the last position: turned over there, or far below zero there and zero else."""
    rows = arguments.inputs.shape[1] if joined.takes_rows else 1
    last = torch.arange(joined.positions).expand(rows, -1) == joined.positions - 1
    turned = torch.where(last, 1 - joined.neutral, joined.neutral)
    for values in (turned, *(torch.where(last, below, 0.0) for below in _FAR_BELOW)):
        yield (values,) * len(joined.masks)


def _shifted(joined: ContextStep, arguments: CellArguments, position: int) -> CellArguments:
    """Other numbers at one position of every context."""
    inputs = arguments.inputs.clone()
    start = joined.widths.input_size
    for context in joined.contexts:
        numbers = context.numbers(joined.positions)
        if "S" in context.axes and numbers:
            part = inputs[..., start : start + numbers].clone().reshape(*inputs.shape[:-1], joined.positions, -1)
            part[..., position, :] += 1 + torch.arange(context.width, dtype=inputs.dtype) / context.width
            inputs[..., start : start + numbers] = part.flatten(-2)
        start += numbers
    return CellArguments(inputs, arguments.states)


CONTEXT_PROPERTIES = (Property("context-mask", _context_mask, for_identified=True),)
