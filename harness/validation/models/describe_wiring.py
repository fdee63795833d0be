"""The wiring of a model in words: what each module reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_harness.validation.models.model_arguments import named_tensors
from rnn_harness.validation.models.part_calls import is_packed, part_calls, steps_first
from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.run_model import ModuleCall
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor


def wiring_in_words(model: ModelUnderTest) -> tuple[str, ...]:
    """Say of each module that is watched what it reads, in the order of the calls.

    Args:
        model: The model; its baseline run is read, and nothing is run anew.
    """
    words: dict[str, str] = {}
    for place, call in enumerate(model.baseline.calls):
        if call.name and call.name not in words:
            words[call.name] = _reads(model, call, place)
    lines = [f"{name} reads {source}" for name, source in words.items() if source]
    return (*lines, *_outputs(model))


def _reads(model: ModelUnderTest, call: ModuleCall, place: int) -> str:
    """What the first argument of a call is."""
    tensors = [tensor for _, tensor in named_tensors(call.arguments[:1])]
    if not tensors:
        return ""
    if _is_sequence(model, tensors[0]):
        return "the input"
    packed = ", packed" if is_packed(call) else ""
    earlier = reversed(model.baseline.calls[:place])
    return next((f"{words}{packed}" for source in earlier if (words := _source(model, source, tensors[0]))), "")


def _outputs(model: ModelUnderTest) -> Iterator[str]:
    """Say what each output of the model is, where it is something that a module gave."""
    outputs = model.baseline.outputs
    for index, output in enumerate(outputs):
        calls = reversed(model.baseline.calls)
        words = next((words for call in calls if (words := _source(model, call, output))), "")
        if words:
            yield f"{f'output {index}' if len(outputs) > 1 else 'the output'} is {words}"


def _is_sequence(model: ModelUnderTest, tensor: Tensor) -> bool:
    """Whether a tensor is the sequence, one step of it, or the same with its axes exchanged."""
    sequence = model.arguments.sequence
    candidates = [sequence, *sequence.unbind(0)]
    if sequence.dim() > 1:
        candidates += [sequence.transpose(0, 1), *sequence.unbind(1)]
    return any(_is_equal(tensor, candidate) for candidate in candidates)


def _source(model: ModelUnderTest, call: ModuleCall, tensor: Tensor) -> str:
    """What of a call's result a tensor is, in words; empty if it is nothing of it."""
    part = model.part(call.name)
    if part is not None and part.family:
        return _of_part(model, part, call, tensor)
    for _, result in named_tensors(call.result):
        if _is_equal(tensor, result) or (result.dim() > 2 and _is_equal(tensor, result.transpose(0, 1))):
            return f"the output of {call.name}"
        if result.dim() > 2 and any(_is_equal(tensor, step) for step in (*result.unbind(0), *result.unbind(1))):
            return f"one step of the output of {call.name}"
    return ""


def _of_part(model: ModelUnderTest, part: RecurrentPart, call: ModuleCall, tensor: Tensor) -> str:
    """What of a recurrent part's result a tensor is, in words."""
    import torch

    reading = next((c for c in part_calls(model.baseline, part) if c.call.index == call.index), None)
    if reading is None:
        return ""
    name, outputs = part.shown_name, reading.outputs
    if not part.is_layer:
        kinds = ("hidden state", "cell state")
        states = zip(kinds, reading.new_states, strict=False)
        return next((f"the {kind} of {name}" for kind, state in states if _is_equal(tensor, state)), "")
    if _is_equal(tensor, outputs) or _is_equal(tensor, outputs.transpose(0, 1)):
        return f"every step of {name}"
    if _is_equal(tensor, outputs[-1]):
        of_reverse = ", at which its reverse direction has read one input alone" if part.directions == 2 else ""
        return f"the last step of {name}{of_reverse}"
    if _is_equal(tensor, outputs.mean(0)):
        return f"the mean over the steps of {name}"
    hidden = reading.new_states[0] if reading.new_states else None
    if hidden is None or hidden.dim() != 3:
        return ""
    if _is_equal(tensor, hidden) or _is_equal(tensor, hidden[-1]):
        return f"the final hidden state of {name}"
    if part.directions == 2 and any(
        _is_equal(tensor, torch.cat(pair, -1)) for pair in ((hidden[-2], hidden[-1]), (hidden[-1], hidden[-2]))
    ):
        return f"the final hidden states of both directions of {name}"
    if part.directions == 2 and _is_equal(tensor, hidden[-2] + hidden[-1]):
        return f"the sum of the final hidden states of both directions of {name}"
    cell = reading.new_states[1] if len(reading.new_states) > 1 else None
    if cell is not None and (_is_equal(tensor, cell) or _is_equal(tensor, cell[-1])):
        return f"the final cell state of {name}"
    padded = steps_first(part, call.result[0])
    return f"every step of {name}" if padded is not None and _is_equal(tensor, padded) else ""


def _is_equal(first: Tensor, second: Tensor) -> bool:
    """Whether two tensors hold the same numbers in the same places, whatever axes of length one there are."""
    if first.dtype != second.dtype or first.numel() != second.numel():
        return False
    squeezed, other = first.squeeze(), second.squeeze()
    return squeezed.shape == other.shape and bool((squeezed == other).all())
