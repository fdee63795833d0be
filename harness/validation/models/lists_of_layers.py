"""Layers that a model holds in one list, and runs on top of each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnn_harness.validation.models.part_calls import PartCall, part_calls
from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

_NUMBER = re.compile(r"(.*)\.(\d+)$")


def numbered_parts(model: ModelUnderTest) -> list[list[RecurrentPart]]:
    """Return the parts that are called, by the list that holds them, in the order of their numbers there.

    Args:
        model: The model; lists of one part alone are left out.
    """
    lists: dict[str, list[tuple[int, RecurrentPart]]] = {}
    for part in model.called_parts:
        if match := _NUMBER.match(part.name):
            lists.setdefault(match[1], []).append((int(match[2]), part))
    return [[part for _, part in sorted(parts, key=lambda pair: pair[0])] for parts in lists.values() if len(parts) > 1]


def outputs_over_time(calls: list[PartCall]) -> Tensor:
    """Join the outputs (T, B, d) of the calls of one part.

    Args:
        calls: The calls in their order; at least one.
    """
    import torch

    return torch.cat([call.outputs for call in calls])


def is_layer_above(model: ModelUnderTest, part: RecurrentPart, lower_part: RecurrentPart) -> bool:
    """Say whether a part stands in the same list as another, and reads that one's outputs, step for step.

    Args:
        model: The model; its baseline run is read.
        part: The part that may be above.
        lower_part: The part that may be below.
    """
    import torch

    if not any(part in parts and lower_part in parts for parts in numbered_parts(model)):
        return False
    above, below = part_calls(model.baseline, part), part_calls(model.baseline, lower_part)
    if not above or not below:
        return False
    inputs, outputs = _inputs_over_time(above), outputs_over_time(below)
    return len(inputs) > 1 and inputs.shape == outputs.shape and torch.equal(inputs, outputs)


def _inputs_over_time(calls: Sequence[PartCall]) -> Tensor:
    """The inputs (T, B, n) of the calls of one part."""
    import torch

    return torch.cat([call.inputs for call in calls])
