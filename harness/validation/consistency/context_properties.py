"""A mask over the positions of a context, as attention has one: what stands at a masked position matters to nothing."""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from rnn_harness.errors import NotRun
from rnn_harness.validation.cells.documented_mask import documented_mask
from rnn_harness.validation.consistency.consistency_property import Draw, Note, Property, Violation, differs
from rnn_harness.validation.consistency.driven_cell import CellArguments, CellRun, DrivenCell
from rnn_harness.validation.loading.context_inputs import ContextStep, StepOfOneInput
from rnn_harness.validation.loading.forward_signature import INPUT_NAME
from rnn_harness.validation.loading.joined_inputs import CellOfOneInput

_MASK_OF_VALUES = re.compile(r"(\w*mask\w*|\w*observed\w*|m|m_t|present|is_present|measured|missing\w*)$", re.I)
_VALUES = re.compile(rf"({INPUT_NAME.pattern[:-1]}|vals?|values?)$", re.I)
_FAR_BELOW = (float("-inf"), -1e9)
"""What a mask that is added to scores holds where a position does not count."""


def _context_mask(draw: Draw) -> Violation | Note | None:
    """Mask the last position: a change of what stands there must reach nothing, as long as others still do."""
    cell, module = draw.cell, draw.cell.module
    if not isinstance(module, StepOfOneInput) or not module.joined.masks:
        raise NotRun("it takes no mask over the positions of a context")
    joined = module.joined
    arguments = draw.arguments(steps=1)
    shifted = [_shifted(joined, arguments, position) for position in (joined.positions - 1, 0)]
    unmasked = _everything(cell, arguments)
    if not all(differs(draw, _everything(cell, each), unmasked, arguments) for each in shifted):
        raise NotRun("the positions of its contexts have no influence without a mask either")
    for number, masks in enumerate(_masks_of_last(joined, arguments)):
        masked = _with_masks(cell, masks)
        with contextlib.suppress(Exception):  # a mask that it need not take
            usual, last, first = (_everything(masked, each) for each in (arguments, *shifted))
            if not all(bool(torch.isfinite(value).all()) for value in usual.tensors):
                continue
            reaching = [differs(draw, changed, usual, arguments) for changed in (last, first)]
            if all(reaching):
                continue
            is_turned = number == 0 and any(reaching)  # then one of the two values leaves a position out
            return _meaning(module, 1 - joined.neutral if reaching[1] else joined.neutral) if is_turned else None
    names = ", ".join(mask.name for mask in joined.masks)
    sentence = f"what stands at a position that {names} leaves out still reaches the new state, in every form of a mask"
    return Violation("forward: mask", sentence)


def _everything(cell: DrivenCell, arguments: CellArguments) -> CellRun:
    """Everything that a step gives: what it attends to may reach its output, and the state one step later."""
    return CellRun(cell.raw_results(arguments, cell.parameters), ())


def _meaning(module: StepOfOneInput, left_out: float) -> Violation | Note | None:
    """Hold the value at which a position is left out against what is said of the mask.

    Args:
        module: A step with one mask or several, which all are alike.
        left_out: 0 or 1.
    """
    value = f"{left_out:g}" if module.joined.masks[0].dtype is not torch.bool else str(bool(left_out))
    names = ", ".join(mask.name for mask in module.joined.masks)
    readings = [documented_mask(module.cell, mask.name) for mask in module.joined.masks]
    for mask, documented in zip(module.joined.masks, readings, strict=True):
        if documented is not None and documented.counting == int(left_out):
            sentence = f"{mask.name} is turned around: a position at which it is {value} is left out, but it is said:"
            return Violation("forward: mask", f"{sentence} {documented.words!r}")
    if None in readings:
        return Note(f"a position at which {names} is {value} is left out; nothing is said of what is meant")
    return None


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


def _imputation_mask(draw: Draw) -> Violation | Note | None:
    """Mark everything as observed, then everything as missing: what is observed must reach the new state.

    A cell may read its inputs whatever a mask says; where it reads them at one of its values alone, that one is known.
    """
    module = draw.cell.module
    if not isinstance(module, CellOfOneInput):
        raise NotRun("it takes no mask beside its input")
    names = module.joined.inputs
    masks = [name for name in names if _MASK_OF_VALUES.match(name)]
    values = [name for name in names if name not in masks and _VALUES.match(name)]
    if len(masks) != 1 or len(values) != 1:
        raise NotRun("it takes no single input beside a single mask of what is observed")
    reached = [_reaches(draw, module, values[0], masks[0], value) for value in (0.0, 1.0)]
    if reached[0] == reached[1]:
        raise NotRun(f"{values[0]} {'reaches' if reached[0] else 'does not reach'} the state whatever {masks[0]} is")
    observed = int(reached[1])
    documented = documented_mask(module.cell, masks[0])
    sentence = f"{values[0]} reaches the state of its step where {masks[0]} is {observed}, and not where it is"
    if documented is None:
        return Note(f"{sentence} {1 - observed}; nothing is said of which of them is observed")
    if documented.counting == observed:
        return None
    return Violation("forward: mask", f"{masks[0]} is turned around: {sentence} {1 - observed}: {documented.words!r}")


def _reaches(draw: Draw, module: CellOfOneInput, values: str, mask: str, value: float) -> bool:
    """Whether a change of the values of a single step reaches what it gives, while the mask has one value."""
    cell, width = draw.cell, module.joined.input_size
    arguments = draw.arguments(steps=1)
    places = {name: slice(place * width, (place + 1) * width) for place, name in enumerate(module.joined.inputs)}
    inputs = arguments.inputs.clone()
    inputs[..., places[mask]] = value
    changed = inputs.clone()
    changed[..., places[values]] += 0.5
    runs = [cell.run(CellArguments(each, arguments.states)) for each in (inputs, changed)]
    return differs(draw, runs[1], runs[0], CellArguments(inputs, arguments.states))


CONTEXT_PROPERTIES = (
    Property("context-mask", _context_mask, for_identified=True),
    Property("imputation-mask", _imputation_mask, for_identified=True),
)
