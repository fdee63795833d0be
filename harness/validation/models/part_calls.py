"""The calls of recurrent parts with steps first: what went in and out, and outputs with some steps changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.run_model import ModelRun, ModuleCall
from rnn_harness.validation.models.under_test import state_tensors

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class PartCall:
    """One call of a recurrent part.

    Attributes:
        part: The part that was called.
        call: The call as it was observed.
        inputs: The inputs (T, B, n); of a cell T is 1.
        given_states: The states that it was given; none where it was given none.
        outputs: The outputs (T, B, d) of a layer, the new hidden state (1, B, d) of a cell.
        new_states: The states that came back.
    """

    part: RecurrentPart
    call: ModuleCall
    inputs: Tensor
    given_states: tuple[Tensor, ...]
    outputs: Tensor
    new_states: tuple[Tensor, ...]

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.inputs)


def part_calls(run: ModelRun, part: RecurrentPart) -> list[PartCall]:
    """Read the calls of a part in a run; calls whose arguments are none of a layer or cell are left out.

    Args:
        run: A run in which the part's calls were recorded.
        part: A recurrent part of the model.
    """
    return [reading for call in run.of(part.name) if (reading := _read(part, call)) is not None]


def _read(part: RecurrentPart, call: ModuleCall) -> PartCall | None:
    """Read one call."""
    if not call.arguments:
        return None
    inputs = steps_first(part, call.arguments[0])
    state = call.arguments[1] if len(call.arguments) > 1 else None
    result = call.result
    if part.is_layer:
        sequence, last = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
        outputs, new_states = steps_first(part, sequence), state_tensors(last)
    else:
        new_states = state_tensors(result)
        outputs = steps_first(part, new_states[0]) if new_states else None
    if inputs is None or outputs is None:
        return None
    return PartCall(part, call, inputs, tuple(state_tensors(state)), outputs, tuple(new_states))


def steps_first(part: RecurrentPart, value: Any) -> Tensor | None:
    """Bring the inputs or outputs of a part into the form (T, B, .).

    Args:
        part: The part, which says whether rows or steps come first.
        value: A tensor, or packed sequences, which are padded.

    Returns:
        The tensor; None if the value is neither.
    """
    import torch
    from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

    if isinstance(value, PackedSequence):
        return pad_packed_sequence(value)[0]
    if not isinstance(value, torch.Tensor):
        return None
    in_space = part.space > 0 and value.dim() > part.space
    numbers: Tensor = value.flatten(value.dim() - part.space - 1) if in_space else value
    if not part.is_layer:
        return numbers.reshape(1, -1, numbers.shape[-1])
    if numbers.dim() == 2:
        return numbers.unsqueeze(1)
    return numbers.transpose(0, 1) if part.batch_first else numbers


def is_packed(call: ModuleCall) -> bool:
    """Say whether a call was given packed sequences.

    Args:
        call: A call of a layer as it was recorded.
    """
    from torch.nn.utils.rnn import PackedSequence

    return bool(call.arguments) and isinstance(call.arguments[0], PackedSequence)


def shifted_output(part: RecurrentPart, result: Any, step: int, features: slice) -> Any:
    """Add one to some features of a layer's outputs at one step, in all rows.

    Args:
        part: The layer.
        result: What it gave, not packed.
        step: The step, from 0.
        features: Which features of the last axis change.

    Returns:
        The same with those numbers changed.
    """
    import torch

    gives_outputs_alone = isinstance(result, torch.Tensor)
    outputs, *states = (result,) if gives_outputs_alone else result
    outputs = outputs.clone()
    if outputs.dim() == 2:
        outputs[step, features] += 1
    elif part.batch_first:
        outputs[:, step, features] += 1
    else:
        outputs[step, :, features] += 1
    return outputs if gives_outputs_alone else (outputs, *states)


def shifted_final(result: Any, index: int) -> Any:
    """Add one to one layer's final hidden state, and to its final cell state if there is one.

    Args:
        result: What a layer gave: its outputs, and its final state or pair of states, (layers x directions, B, d).
        index: The layer and direction, as torch counts them along the first axis.

    Returns:
        The same with new states; the outputs stay, and so does what a layer gives that gives its outputs alone.
    """
    import torch

    if isinstance(result, torch.Tensor):
        return result
    outputs, states = result
    changed = []
    for state in state_tensors(states):
        state = state.clone()
        state[index] += 1
        changed.append(state)
    return outputs, changed[0] if isinstance(states, torch.Tensor) else tuple(changed)


def shifted_states(result: Any) -> Any:
    """Add one to everything that a cell gave.

    Args:
        result: What a cell gave: its state (B, d), or a pair of states.
    """
    from rnn_harness.validation.models.model_arguments import map_tensors

    return map_tensors(lambda tensor: tensor + 1, result)
