"""The states that a model is given, optional ones among them, and where they come back in its result."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.validation.models.argument_names import is_state
from rnn_harness.validation.models.model_arguments import (
    ModelArgument,
    ModelArguments,
    map_tensors,
    named_tensors,
)
from rnn_harness.validation.models.model_sizes import read_sizes
from rnn_harness.validation.models.run_model import ModelRun
from rnn_harness.validation.models.state_forms import state_forms
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

MOST_FORMS = 40
"""How many forms of an optional state are tried."""


@dataclass(frozen=True)
class StatePlace:
    """One state of one layer among the states that a model is given.

    Attributes:
        words: The argument, and the place in it.
        argument: The argument alone.
        tensor: The number of its tensor among all tensors of states.
        layer: Its index along the first axis; None where the tensor is one state.
    """

    words: str
    argument: str
    tensor: int
    layer: int | None

    def of(self, tensors: Sequence[Tensor]) -> Tensor:
        """Return what stands at this place.

        Args:
            tensors: The tensors of all states, those that are given or those that come back.
        """
        tensor = tensors[self.tensor]
        return tensor if self.layer is None else tensor[self.layer]


def with_states(model: ModelUnderTest) -> ModelArguments | None:
    """Return arguments with a state: the usual ones, or those with states that may be left out.

    Args:
        model: The model; it is run with states of several forms where its signature names optional ones.

    Returns:
        None where it takes no state, or none of the forms that are tried.
    """
    if model.arguments.of_role("state"):
        return model.arguments
    try:
        parameters = inspect.signature(model.module.forward).parameters
    except (TypeError, ValueError):
        return None
    present = {argument.name for argument in model.arguments.arguments}
    optional = [name for name, p in parameters.items() if name not in present and is_state(name) and p.default is None]
    if not optional:
        return None
    # A state that comes back is likely to be of the form in which it goes in.
    forms = itertools.chain(_returned_forms(model, len(optional)), _usual_forms(model, len(optional)))
    return next(
        (
            arguments
            for values in itertools.islice(forms, MOST_FORMS)
            if (arguments := _accepted(model, optional, values)) is not None
        ),
        None,
    )


def _accepted(model: ModelUnderTest, names: Sequence[str], values: Sequence[Any]) -> ModelArguments | None:
    """The arguments with these states; None where the model raises, or gives other shapes than without them."""
    arguments = model.arguments
    for name, state in zip(names, values, strict=True):
        arguments = arguments.with_argument(ModelArgument(name, "state", _generic(state), by_keyword=True))
    run = model.runs(arguments)
    if run is None or [t.shape for t in run.outputs] != [t.shape for t in model.baseline.outputs]:
        return None
    return arguments


def _returned_forms(model: ModelUnderTest, count: int) -> Iterator[Sequence[Any]]:
    """Yield what the model gives back behind its output, as so many states."""
    result = model.baseline.result
    if not isinstance(result, tuple) or len(result) < 2:
        return
    if len(result) == 1 + count:
        yield result[1:]
    if len(result) == 2 and isinstance(result[1], tuple | list) and len(result[1]) == count:
        yield result[1]


def _usual_forms(model: ModelUnderTest, count: int) -> Iterator[Sequence[Any]]:
    """Yield states of the usual forms, the same form for each."""
    sequence = model.arguments.sequence
    sizes = read_sizes(model.module)
    dtype = next(output.dtype for output in model.baseline.outputs)
    for axis in reversed(model.arguments.grid):
        for form in state_forms(model.module, sizes, sequence.shape[axis], dtype):
            yield (form,) * count
            if isinstance(form, tuple) and len(form) == count > 1:
                yield form


def _generic(state: Any) -> Any:
    """A state of the same form with other numbers, no two of them alike."""
    import torch

    generator = torch.Generator().manual_seed(17)
    return map_tensors(
        lambda tensor: torch.randn(tensor.shape, generator=generator, dtype=torch.float64).to(tensor.dtype) / 2, state
    )


def given_tensors(arguments: ModelArguments) -> list[Tensor]:
    """List the tensors of all states that are given.

    Args:
        arguments: A call of a model.
    """
    return [tensor for argument in arguments.of_role("state") for _, tensor in named_tensors(argument.value)]


def state_places(arguments: ModelArguments) -> list[StatePlace]:
    """List the places of the states that are given, layer by layer where one tensor holds those of several.

    Args:
        arguments: A call of a model.
    """
    places, number = [], 0
    for argument in arguments.of_role("state"):
        for name, tensor in named_tensors(argument.value, argument.name):
            if tensor.dim() == 3:
                places += [StatePlace(f"{name}[{k}]", argument.name, number, k) for k in range(len(tensor))]
            else:
                places.append(StatePlace(name, argument.name, number, None))
            number += 1
    return places


@dataclass(frozen=True)
class ReturnedStates:
    """The states in what a model gives back.

    Attributes:
        tensors: They, as many and of the same shapes as those that are given.
        others: The numbers of the tensors of the result that are none of them.
    """

    tensors: tuple[Tensor, ...]
    others: tuple[int, ...]


def returned_states(run: ModelRun, given: Sequence[Tensor]) -> ReturnedStates | None:
    """Find the states in what a model gives back: the one part of it that has the form of those that are given.

    Args:
        run: A run with the states.
        given: The tensors of the states that are given.

    Returns:
        None where no part has their form, or several different ones have.
    """
    tensors = [tensor for _, tensor in named_tensors(run.result)]
    shapes = [tensor.shape for tensor in given]
    fitting = [
        (start, end)
        for start, end in dict.fromkeys(_extents(run.result, 0))
        if [tensor.shape for tensor in tensors[start:end]] == shapes
    ]
    if not fitting or len({tuple(map(id, tensors[start:end])) for start, end in fitting}) > 1:
        return None
    start, end = fitting[-1]
    others = tuple(number for number in range(len(tensors)) if not start <= number < end)
    return ReturnedStates(tuple(tensors[start:end]), others)


def _extents(value: Any, start: int) -> Iterator[tuple[int, int]]:
    """Yield where the tensors of each part of a result begin and end, and of what stands behind its first element."""
    count = sum(1 for _ in named_tensors(value))
    yield start, start + count
    parts: list[Any] = []
    if isinstance(value, Mapping):
        parts = list(value.values())
    elif isinstance(value, tuple | list):
        parts = list(value)
    place = start
    for index, part in enumerate(parts):
        yield from _extents(part, place)
        place += sum(1 for _ in named_tensors(part))
        if index == 0 and len(parts) > 2:
            yield place, start + count


def holds_same_numbers(first: Tensor, second: Tensor) -> bool:
    """Say whether two states are equal bit for bit, whatever axes of length one there are.

    Args:
        first: A state.
        second: Another one.
    """
    import torch

    return first.numel() == second.numel() and torch.equal(first.reshape(-1), second.reshape(-1))
