"""Is a state that is given used, all of it, and does the model keep one between calls?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_harness.validation.models.given_states import with_states
from rnn_harness.validation.models.model_arguments import (
    ModelArgument,
    ModelArguments,
    map_tensors,
    named_tensors,
)
from rnn_harness.validation.models.run_model import ModelRun, run_model
from rnn_harness.validation.models.statement import WiringStatement, agrees, listed, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "given-state"


def check_given_state(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Change each state that is given, and each layer of it: the outputs must change.

    Args:
        model: The model; where it takes no state, not even an optional one, nothing is yielded.
    """
    arguments = with_states(model)
    if arguments is None:
        return
    expected = model.run(arguments)
    for argument in arguments.of_role("state"):
        silent = list(_silent_parts(model, arguments, argument, expected))
        if silent:
            sentence = f"{listed(silent)} that is given has no influence on any output: it starts from another state"
            yield refuted(CHECK, sentence)
        else:
            yield agrees(CHECK, f"the state that is given as {argument.name} is used")


def _silent_parts(
    model: ModelUnderTest, arguments: ModelArguments, argument: ModelArgument, expected: ModelRun
) -> Iterator[str]:
    """Yield the tensors of a state, or the layers of a tensor, that have no influence."""
    layers = {part.layers * part.directions for part in model.parts}
    layers |= {sum(1 + len(part.further_names) for part in model.parts)}
    for name, tensor in named_tensors(argument.value, argument.name):
        if not tensor.is_floating_point() or not tensor.numel():
            continue
        if not _matters(model, arguments, argument, tensor, slice(None), expected):
            yield name
        elif tensor.dim() == 3 and len(tensor) > 1 and len(tensor) in layers:
            for layer in range(len(tensor)):
                if not _matters(model, arguments, argument, tensor, layer, expected):
                    yield f"{name}[{layer}]"


def _matters(
    model: ModelUnderTest,
    arguments: ModelArguments,
    argument: ModelArgument,
    changed: Tensor,
    index: int | slice,
    expected: ModelRun,
) -> bool:
    """Whether other numbers in one place of a state change any bit of the outputs."""

    def change(tensor: Tensor) -> Tensor:
        if tensor is not changed:
            return tensor
        moved = tensor.clone()
        moved[index] += 1
        return moved

    run = model.run(arguments.with_value(argument.name, map_tensors(change, argument.value)))
    return any(bool((a != b).any()) for a, b in zip(run.outputs, expected.outputs, strict=True))


def check_kept_state(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Call one copy of the model twice, and another one once: a state that is kept is worth knowing.

    Args:
        model: The model; where two fresh copies give different outputs, nothing is yielded.
    """
    first = model.baseline
    again = model.run()
    if model.is_changed_by(again):
        return  # random numbers, or a copy that cannot be made: another check says so
    try:
        second = run_model(first.module, model.arguments, is_fresh=False)
    except Exception:  # what it keeps does not fit a second call
        yield agrees("kept-state", "it keeps a state between calls that have the same number of rows")
        return
    if model.is_changed_by(second):
        yield agrees("kept-state", "it keeps a state between calls: the same call twice gives other numbers")
