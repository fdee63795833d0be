"""Does an argument that says where an episode ends forget the state there, all of it, and no other row's?"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.validation.cells.reset_names import RESET_NAMES
from rnn_harness.validation.models.given_states import given_tensors, with_states
from rnn_harness.validation.models.model_arguments import ModelArgument, ModelArguments, map_tensors, named_tensors
from rnn_harness.validation.models.statement import WiringStatement, agrees, listed, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "reset"


@dataclass(frozen=True)
class _Reset:
    """A call in which every row's episode has ended, and the same call in which none has.

    Attributes:
        ended: The arguments of the former.
        going_on: Those of the latter.
    """

    ended: ModelArguments
    going_on: ModelArguments


def check_resets(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Change the state that is given, where every row is reset and where none is.

    Args:
        model: The model; where it takes no state, or no argument that resets it, nothing is yielded.
    """
    arguments = with_states(model)
    name = _reset_name(model)
    if arguments is None or not name:
        return
    for form in _forms(model):
        reset = _Reset(*(_with_reset(arguments, name, value) for value in (form, form.logical_not().to(form.dtype))))
        usual, ended = (_reaching_states(model, call) for call in (reset.going_on, reset.ended))
        if usual is None or ended is None:
            continue
        states = _state_names(arguments)
        if usual and not ended:
            yield agrees(CHECK, f"where {name} is 1 the state that is given is forgotten")
        elif ended and not usual:
            sentence = (
                f"{name} is turned around: where it is 1, an episode that has ended, the state that is given still "
                "reaches the output, and where it is 0 it does not"
            )
            yield refuted(CHECK, sentence)
        elif len(usual) == len(states) and 0 < len(ended) < len(states):
            forgotten = [state for state in states if state not in ended]
            sentence = f"where {name} is 1 {listed(forgotten)} is forgotten, and {listed(ended)} is not"
            yield refuted(CHECK, sentence)
        else:
            yield not_run(CHECK, f"{name} forgets no state before the step: what it does is unknown")
        return


def _reset_name(model: ModelUnderTest) -> str:
    """The name of the argument that resets the state; empty without one."""
    try:
        parameters = inspect.signature(model.module.forward).parameters
    except (TypeError, ValueError):
        return ""
    return next((name for name in parameters if name.lower() in RESET_NAMES), "")


def _forms(model: ModelUnderTest) -> Iterator[Tensor]:
    """Yield ones in every shape and format in which a reset of all rows may be given, at every step."""
    import torch

    sequence = model.arguments.sequence
    sizes = [sequence.shape[axis] for axis in model.arguments.grid]
    shapes = [tuple(sizes), *((size,) for size in reversed(sizes))]
    given = model.arguments.of_role("further")
    for shape in dict.fromkeys([*(tuple(a.value.shape) for a in given if isinstance(a.value, torch.Tensor)), *shapes]):
        for dtype in (next(output.dtype for output in model.baseline.outputs), torch.bool):
            yield torch.ones(shape, dtype=dtype)
            yield torch.ones((*shape, 1), dtype=dtype)


def _with_reset(arguments: ModelArguments, name: str, value: Tensor) -> ModelArguments:
    """The arguments with a reset."""
    if any(argument.name == name for argument in arguments.arguments):
        return arguments.with_value(name, value)
    return arguments.with_argument(ModelArgument(name, "further", value, by_keyword=True))


def _reaching_states(model: ModelUnderTest, arguments: ModelArguments) -> list[str] | None:
    """Name the states that reach an output; None where the model raises, or gives outputs of other shapes."""
    expected = model.runs(arguments)
    shapes = [output.shape for output in model.baseline.outputs]
    if expected is None or [output.shape for output in expected.outputs] != shapes:
        return None
    reaching = []
    for number, name in enumerate(_state_names(arguments)):
        run = model.runs(_with_moved_state(arguments, number))
        if run is None:
            return None
        if any(bool((a != b).any()) for a, b in zip(run.outputs, expected.outputs, strict=True)):
            reaching.append(name)
    return reaching


def _state_names(arguments: ModelArguments) -> list[str]:
    """Name the tensors of the states that are given."""
    return [name for argument in arguments.of_role("state") for name, _ in named_tensors(argument.value, argument.name)]


def _with_moved_state(arguments: ModelArguments, number: int) -> ModelArguments:
    """The arguments with other numbers in one tensor of their states."""
    chosen = given_tensors(arguments)[number]

    def change(tensor: Tensor) -> Tensor:
        return tensor + 1 if tensor is chosen else tensor

    for argument in arguments.of_role("state"):
        arguments = arguments.with_value(argument.name, map_tensors(change, argument.value))
    return arguments
