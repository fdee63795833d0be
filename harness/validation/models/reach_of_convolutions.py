"""Convolutions in front of a recurrent part read a little of the padding behind a row's end, where it is not masked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnn_harness.validation.models.part_calls import part_calls
from rnn_harness.validation.models.run_model import ModelRun
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import nn


def convolutions_reach(model: ModelUnderTest, run: ModelRun, expected: ModelRun, row: int, length: int) -> bool:
    """Say whether what differs in a row, before its recurrent part, lies within the reach of convolutions from its end.

    Many models leave that as it is: their outputs then depend, a little, on how far a batch is padded.

    Args:
        model: The model, whose first recurrent part is looked at.
        run: A run with other padding.
        expected: The usual run.
        row: The row of the batch.
        length: Its length, in steps of the input.
    """
    reach = _reach(model.module)
    part = next(iter(model.called_parts), None)
    if not reach or part is None:
        return False
    before, after = (part_calls(its_run, part) for its_run in (expected, run))
    if not before or not after or before[0].inputs.shape[1:] != after[0].inputs.shape[1:]:
        return False
    arrived, changed = before[0].inputs[:, row], after[0].inputs[:, row]
    common = min(len(arrived), len(changed))
    differs = (arrived[:common] != changed[:common]).any(-1).nonzero().flatten().tolist()
    places = math.prod(model.arguments.sequence.shape[axis] for axis in model.arguments.grid)
    steps = places // before[0].inputs.shape[1]
    return not differs or differs[0] * steps // len(arrived) >= length - reach


def _reach(module: nn.Module) -> int:
    """How many steps of the input all convolutions of a model see behind a step, at the most."""
    from torch import nn

    reach, stride = 0, 1
    for part in module.modules():
        if isinstance(part, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            widths = [(size - 1) * gap for size, gap in zip(part.kernel_size, part.dilation, strict=True)]
            padding = [width // 2 for width in widths] if isinstance(part.padding, str) else part.padding
            reach += stride * max(int(width - pad) for width, pad in zip(widths, padding, strict=True))
            stride *= int(max(part.stride))
    return reach + stride if reach else 0
