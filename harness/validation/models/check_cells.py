"""Of cells called step by step: is the state carried on, is it their own, and do later steps reach the output?"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.validation.models.check_sharing import source_of
from rnn_harness.validation.models.model_arguments import named_tensors
from rnn_harness.validation.models.part_calls import PartCall, part_calls, shifted_states
from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.run_model import Intervention
from rnn_harness.validation.models.scaled_states import scaling_argument
from rnn_harness.validation.models.statement import WiringStatement, agrees, listed, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor, nn

CHECK = "carried-state"
FEWEST_CALLS = 4
"""From so many calls on, the first one alone can be told from what a loop leaves out at its end."""
STATE_WORDS = ("hidden state", "cell state")
_SPEAKS_OF_CELL_STATES = re.compile(r"cell[_ ]?states?\b|\bmemor(y|ies)\b", re.IGNORECASE)


@dataclass(frozen=True)
class StateOrigin:
    """Where a state that goes into a cell comes from.

    Attributes:
        name: The part that gave it.
        index: Which of its states it is: 0 the hidden state, 1 the cell state.
    """

    name: str
    index: int


def check_cells(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Follow the states from call to call, and see which calls reach the output.

    Args:
        model: The model; of its parts, those that its baseline run calls with one step at a time are looked at.
    """
    calls = {part.name: _single_steps(model, part) for part in model.called_parts}
    for part in model.called_parts:
        if len(calls[part.name]) == 1 and not part.is_layer:
            yield _single_call(model, part, calls[part.name][0])
        if len(calls[part.name]) < FEWEST_CALLS:
            continue
        statement = _state_not_carried(part, calls[part.name])
        statement = statement or _foreign_state(part, calls) or _borrowed_state(part, calls)
        statement = statement or _reads_cell_state(model, part, calls)
        statement = statement or _first_call_alone(model, part, calls[part.name])
        yield statement or _carried(model, part, calls)


def _single_steps(model: ModelUnderTest, part: RecurrentPart) -> list[PartCall]:
    """The calls of a part, if each is about one step; else none."""
    calls = part_calls(model.baseline, part)
    return calls if all(call.steps == 1 for call in calls) else []


def _carried(model: ModelUnderTest, part: RecurrentPart, calls: dict[str, list[PartCall]]) -> WiringStatement:
    """Say that a part is given, from its second call on, what it gave before; or that this cannot be seen."""
    part_alone = {part.name: calls[part.name]}
    model_states = _given_to_model(model)
    factors: set[str] = set()
    for before, call in itertools.pairwise(calls[part.name]):
        foreign = [
            state
            for state, origin in zip(call.given_states, _origins(call, part_alone), strict=True)
            if origin is None and not any(_is_equal(state, known) for known in model_states)
        ]
        scaled = [scaling_argument(model, state, before.new_states) for state in foreign]
        factors.update(scaled)
        if "" in scaled or not call.given_states:
            sentence = (
                f"{part.shown_name} is given a state that it did not give itself: what is done with it is unknown"
            )
            return not_run(CHECK, sentence, part.name)
    times = f" times {listed(sorted(factors))}" if factors else ""
    return agrees(CHECK, f"{part.shown_name} goes from step to step with its own state{times}", part.name)


def _single_call(model: ModelUnderTest, part: RecurrentPart, call: PartCall) -> WiringStatement:
    """Say that a cell is called with the state that the model is given, and its new state is what the model gives."""
    model_states = _given_to_model(model)
    results = _with_layers([tensor for _, tensor in named_tensors(model.baseline.result)])
    is_given = all(any(_is_equal(state, tensor) for tensor in model_states) for state in call.given_states)
    is_returned = all(any(_is_equal(state, tensor) for tensor in results) for state in call.new_states)
    name = part.shown_name
    if call.given_states and is_given and is_returned:
        return agrees(CHECK, f"{name} takes the state that is given, and its new state is given back", part.name)
    return not_run(CHECK, f"{name} takes or gives a state that is changed on the way: how is unknown", part.name)


def _given_to_model(model: ModelUnderTest) -> list[Tensor]:
    """The states that the model is given, and each layer of them."""
    return _with_layers([tensor for a in model.arguments.of_role("state") for _, tensor in named_tensors(a.value)])


def _with_layers(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors, and what stands in each along its first axis."""
    return [state for tensor in tensors for state in (tensor, *(tensor.unbind(0) if tensor.dim() == 3 else ()))]


def _state_not_carried(part: RecurrentPart, calls: Sequence[PartCall]) -> WiringStatement | None:
    """Say that every call starts from the same state, though the inputs differ."""
    first = calls[0]
    if any(len(call.given_states) != len(first.given_states) for call in calls):
        return None
    is_same = all(
        _is_equal(a, b) for call in calls[1:] for a, b in zip(call.given_states, first.given_states, strict=True)
    )
    if not is_same or all(_is_equal(call.inputs, first.inputs) for call in calls):
        return None
    returned = [state for call in calls for state in call.new_states]
    if any(_is_equal(initial, state) for initial in first.given_states for state in returned):
        return None
    start = "the same state" if first.given_states else "no state"
    sentence = (
        f"{part.shown_name} is called {len(calls)} times, one step each, and every call starts from {start}: the state "
        "that the call before gave is not carried on"
    )
    return refuted(CHECK, sentence, part.name)


def _foreign_state(part: RecurrentPart, calls: dict[str, list[PartCall]]) -> WiringStatement | None:
    """Say that a cell is given another cell's cell state, or its states exchanged."""
    if not part.has_cell_state:
        return None
    origins = [_origins(call, calls) for call in calls[part.name][1:]]
    for hidden, cell in (pair for pair in origins if len(pair) == 2):
        if hidden is None or cell is None or hidden.name != part.name:
            continue
        if (hidden.index, cell.index) == (1, 0) and cell.name == part.name:
            sentence = (
                f"{part.shown_name} is given its own cell state as hidden state and its hidden state as cell state"
            )
            return refuted(CHECK, sentence, part.name)
        if cell.name != part.name and hidden.index == 0 and all(pair[1] in (cell, None) for pair in origins):
            sentence = (
                f"{part.shown_name} is given the {STATE_WORDS[cell.index]} of {cell.name} as its cell state, next to "
                "its own hidden state"
            )
            return refuted(CHECK, sentence, part.name)
        if cell.name == part.name and (hidden.index, cell.index) == (0, 0):
            sentence = f"{part.shown_name} is given its hidden state as its cell state, too"
            return refuted(CHECK, sentence, part.name)
    return None


def _borrowed_state(part: RecurrentPart, calls: dict[str, list[PartCall]]) -> WiringStatement | None:
    """Say that a cell is given what it reads as its state, too, and what it gives is no cell's state.

    Two cells may hand one state to each other; then what each gives is the other's state.
    """
    its_calls = calls[part.name]
    taken = [state for others in calls.values() for call in others for state in call.given_states]
    is_dropped = not any(_is_equal(call.new_states[0], state) for call in its_calls[:-1] for state in taken)
    is_borrowed = all(
        call.given_states and bool(call.inputs.any()) and _is_equal(call.given_states[0], call.inputs)
        for call in its_calls
    )
    if not (is_dropped and is_borrowed):
        return None
    below = next(
        (
            name
            for name, others in calls.items()
            if name != part.name and any(_is_equal(its_calls[-1].inputs, call.new_states[0]) for call in others)
        ),
        None,
    )
    if below is None:
        return None
    sentence = (
        f"{part.shown_name} is given the hidden state of {below} as its own, next to reading it, and its own state is "
        "not carried on"
    )
    return refuted(CHECK, sentence, part.name)


def _reads_cell_state(
    model: ModelUnderTest, part: RecurrentPart, calls: dict[str, list[PartCall]]
) -> WiringStatement | None:
    """Say that in every call a cell reads the cell state of another one, where layers read the hidden state.

    Nothing is said where the source of the model, or of a module in it, speaks of cell states: it may mean to read one.
    """
    for name, others in calls.items():
        below = model.part(name)
        if name == part.name or below is None or not below.has_cell_state:
            continue
        cell_states = [call.new_states[1] for call in others if len(call.new_states) > 1]
        reads_them = all(any(_is_equal(call.inputs, state) for state in cell_states) for call in calls[part.name])
        if reads_them and not _speaks_of_cell_states(model.module):
            sentence = (
                f"{part.shown_name} reads the cell state of {below.shown_name} in every step: what a layer gives to "
                "the one above it is its hidden state"
            )
            return refuted(CHECK, sentence, part.name)
    return None


def _speaks_of_cell_states(model: nn.Module) -> bool:
    """Whether the source of a class that is not torch's own speaks of cell states."""
    own = (module for module in model.modules() if not type(module).__module__.startswith("torch."))
    return any(_SPEAKS_OF_CELL_STATES.search(source_of(module)) for module in own)


def _origins(call: PartCall, calls: dict[str, list[PartCall]]) -> tuple[StateOrigin | None, ...]:
    """Say of every state that goes into a call which part gave it; None where none did, or it is zero."""
    return tuple(
        next(
            (
                StateOrigin(name, index)
                for name, its_calls in calls.items()
                for earlier in its_calls
                for index, state in enumerate(earlier.new_states)
                if _is_equal(taken, state)
            ),
            None,
        )
        if bool(taken.any())
        else None
        for taken in call.given_states
    )


def _first_call_alone(model: ModelUnderTest, part: RecurrentPart, calls: Sequence[PartCall]) -> WiringStatement | None:
    """Say that of all calls of a cell the first one alone reaches the output."""
    influential = [
        call.call.index
        for call in calls
        if model.is_changed_by(model.run(None, Intervention(part.name, call.call.index, shifted_states)))
    ]
    if influential != [0]:
        return None
    sentence = (
        f"of the {len(calls)} calls of {part.shown_name}, step by step, the first one alone reaches the output: it is "
        f"read where it has seen one of {len(calls)} steps"
    )
    return refuted("directions", sentence, part.name)


def _is_equal(first: Tensor, second: Tensor) -> bool:
    """Whether two states hold the same numbers, whatever axes of length one there are."""
    import torch

    return first.numel() == second.numel() and torch.equal(first.reshape(-1), second.reshape(-1))
