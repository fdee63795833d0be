"""What a recurrent layer reads and gives while its model runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.comparison.model_description import LayerNumbers, ModelOutputs
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.validation.models.part_calls import PartCall, is_packed, part_calls
from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.run_model import ModelRun

if TYPE_CHECKING:
    from torch import Tensor


def layer_numbers(part: RecurrentPart, run: ModelRun) -> ModelOutputs:
    """Read what a layer was given and gave in a run of its model.

    Args:
        part: A recurrent part of one layer and one direction.
        run: A run in which its calls were recorded.

    Returns:
        The numbers of its first call, of a cell those of all its steps; or why they cannot be read.
    """
    calls = part_calls(run, part)
    if not calls:
        return ModelOutputs(reason=f"no call of {part.shown_name} with a sequence was seen")
    if not part.is_layer and not _go_on(calls):
        return ModelOutputs(reason=f"the steps of {part.shown_name} do not begin where the step before ended")
    calls = calls[:1] if part.is_layer else calls
    inputs, outputs = _joined([call.inputs for call in calls]), _joined([call.outputs for call in calls])
    steps = _shortest(calls[0])
    states = tuple(PlainArray.of(_numbers(state).reshape(inputs.shape[1], -1)) for state in calls[0].given_states)
    return ModelOutputs(layer=LayerNumbers(PlainArray.of(inputs[:steps]), states, PlainArray.of(outputs[:steps])))


def _go_on(calls: Sequence[PartCall]) -> bool:
    """Say whether every step of a cell is given the states that the step before it gave."""
    return all(
        len(first.new_states) == len(second.given_states)
        and all(_is_equal(*pair) for pair in zip(first.new_states, second.given_states, strict=True))
        for first, second in pairwise(calls)
    )


def _is_equal(first: Tensor, second: Tensor) -> bool:
    return first.shape == second.shape and bool((first == second).all())


def _joined(parts: Sequence[Tensor]) -> Array:
    return np.concatenate([_numbers(part) for part in parts])


def _numbers(value: Tensor) -> Array:
    return to_numpy(value.detach()).astype(np.float64)


def _shortest(call: PartCall) -> int | None:
    """Return how many steps every row has; None where the sequences are not packed, so that all have as many."""
    from torch.nn.utils.rnn import pad_packed_sequence

    if not is_packed(call.call):
        return None
    return int(pad_packed_sequence(call.call.arguments[0])[1].min())
