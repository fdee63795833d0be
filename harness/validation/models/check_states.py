"""Is a state that is given used, all of it, and does the model keep one between calls?"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rnn_harness.validation.models.argument_names import is_state
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
        model: The model; where it takes no state and returns none that it would take, nothing is yielded.
    """
    arguments = model.arguments
    if not arguments.of_role("state"):
        with_state = _with_returned_state(model)
        if with_state is None:
            return
        arguments = with_state
    expected = model.run(arguments)
    for argument in arguments.of_role("state"):
        silent = list(_silent_parts(model, arguments, argument, expected))
        if silent:
            sentence = f"{listed(silent)} that is given has no influence on any output: it starts from another state"
            yield refuted(CHECK, sentence)
        else:
            yield agrees(CHECK, f"the state that is given as {argument.name} is used")


def _with_returned_state(model: ModelUnderTest) -> ModelArguments | None:
    """The arguments with a state of the form that the model gives back, for an argument that may be left out."""
    result = model.baseline.result
    try:
        parameters = inspect.signature(model.module.forward).parameters
    except (TypeError, ValueError):
        return None
    present = {argument.name for argument in model.arguments.arguments}
    optional = [name for name, p in parameters.items() if name not in present and is_state(name) and p.default is None]
    if not optional or not isinstance(result, tuple) or len(result) != 1 + len(optional):
        return None
    arguments = model.arguments
    for name, state in zip(optional, result[1:], strict=True):
        arguments = arguments.with_argument(ModelArgument(name, "state", _generic(state), by_keyword=True))
    return arguments if model.runs(arguments) is not None else None


def _generic(state: Any) -> Any:
    """A state of the same form with other numbers."""
    import torch

    generator = torch.Generator().manual_seed(17)
    return map_tensors(
        lambda tensor: torch.randn(tensor.shape, generator=generator, dtype=torch.float64).to(tensor.dtype) / 2, state
    )


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
