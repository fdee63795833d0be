"""Is the state that comes back, layer by layer, the last one of the part that the state at its place goes into?"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.validation.models.given_states import (
    StatePlace,
    given_tensors,
    holds_same_numbers,
    returned_states,
    state_places,
    with_states,
)
from rnn_harness.validation.models.part_calls import PartCall, part_calls
from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.run_model import ModelRun
from rnn_harness.validation.models.statement import WiringStatement, agrees, listed, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "returned-state"


@dataclass(frozen=True)
class _Slot:
    """One state of one layer of one part, over a run.

    Attributes:
        words: The part, and the layer where it has several.
        part: The part alone.
        place: Where its initial state is given.
        initial: The state that goes into its first call.
        earlier: The states before the last one.
        final: The state after its last call.
    """

    words: str
    part: str
    place: StatePlace
    initial: Tensor
    earlier: tuple[Tensor, ...]
    final: Tensor


def check_returned_states(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Compare the states that come back, bit for bit, with the last ones of the parts that those given go into.

    Args:
        model: The model; where it takes no state, or its result has no part of its form, nothing is yielded.
    """
    arguments = with_states(model)
    run = model.runs(arguments) if arguments is not None else None
    if arguments is None or run is None:
        return
    given = given_tensors(arguments)
    returned = returned_states(run, given)
    if returned is None:
        return
    slots = list(_slots(model, run, given, state_places(arguments)))
    if not slots:
        yield from _repeated_layers(given, returned.tensors, state_places(arguments))
    counts = Counter(slot.place for slot in slots)  # what is given to several, another check speaks of
    slots = [slot for slot in slots if counts[slot.place] == 1]
    right = []
    for slot in slots:
        computed = slot.place.of(returned.tensors)
        if holds_same_numbers(computed, slot.final):
            right.append(slot.words)
        elif origin := _origin(computed, slot, slots):
            sentence = (
                f"the state that is given as {slot.place.words} goes into {slot.words}, and what comes back at its "
                f"place is {origin}"
            )
            yield refuted(CHECK, sentence, slot.part)
    if right and len(right) == len(slots):
        sentence = f"the states that come back are the last ones of {listed(list(dict.fromkeys(right)))}"
        yield agrees(CHECK, sentence)


def _repeated_layers(
    given: Sequence[Tensor], returned: Sequence[Tensor], places: Sequence[StatePlace]
) -> Iterator[WiringStatement]:
    """Say that two layers of a state come back as one, though they differ where they go in: one of them is lost."""
    layers = [place for place in places if place.layer is not None]
    for first, second in itertools.combinations(layers, 2):
        pair = first.of(returned), second.of(returned)
        if first.tensor != second.tensor or not bool(pair[0].any()) or not holds_same_numbers(*pair):
            continue
        if not holds_same_numbers(first.of(given), second.of(given)):
            sentence = f"what comes back in the places of {first.words} and {second.words} are the same numbers"
            yield refuted(CHECK, f"{sentence}, though the states that are given differ: the state of one layer is lost")


def _origin(computed: Tensor, slot: _Slot, slots: Sequence[_Slot]) -> str:
    """Say which other state stands at the place of a slot's; empty where it is none that is known."""
    if holds_same_numbers(computed, slot.initial):
        return "the same state, not the one after the last step"
    if any(holds_same_numbers(computed, state) for state in slot.earlier):
        return "the state of an earlier step, not the last one"
    # Whoever hands over several arguments takes the results by their names, in whatever order they come.
    others = (other for other in slots if other is not slot and other.place.argument == slot.place.argument)
    other = next((other for other in others if holds_same_numbers(computed, other.final)), None)
    if other is None:
        return ""
    return f"the last state of {other.words}, which is given as {other.place.words}"


def _slots(
    model: ModelUnderTest, run: ModelRun, given: Sequence[Tensor], places: Sequence[StatePlace]
) -> Iterator[_Slot]:
    """Yield the states of all parts that go from a place among the given ones through every call."""
    for part in model.called_parts:
        calls = part_calls(run, part)
        if not calls or not _is_carried(calls):
            continue
        names = [_words(part, calls[-1], number) for number in range(len(calls[-1].new_states))]
        for number, (initial, final) in enumerate(zip(calls[0].given_states, calls[-1].new_states, strict=False)):
            if part.is_layer and (initial.dim() != 3 or final.dim() != 3):
                continue
            layers = range(len(initial)) if part.is_layer else (None,)
            for layer in layers:
                first = initial if layer is None else initial[layer]
                last = final if layer is None else final[layer]
                found_places = [place for place in places if holds_same_numbers(place.of(given), first)]
                if len(found_places) == 1:
                    words = names[number] if layer is None or part.layers * part.directions == 1 else ""
                    words = words or f"{names[number]} in row {layer} of its states"
                    yield _Slot(words, part.name, found_places[0], first, _earlier(calls, number, layer), last)


def _words(part: RecurrentPart, call: PartCall, number: int) -> str:
    """Name a part, and which of its states is meant where it has two."""
    if len(call.new_states) < 2:
        return part.shown_name
    return f"{part.shown_name} ({('hidden state', 'cell state')[min(number, 1)]})"


def _is_carried(calls: Sequence[PartCall]) -> bool:
    """Whether every call starts from what the call before gave, so that all calls are of one chain."""
    return all(
        len(after.given_states) == len(before.new_states)
        and all(holds_same_numbers(a, b) for a, b in zip(after.given_states, before.new_states, strict=True))
        for before, after in itertools.pairwise(calls)
    )


def _earlier(calls: Sequence[PartCall], number: int, layer: int | None) -> tuple[Tensor, ...]:
    """The states of one kind before the last one: of earlier calls, and of earlier steps of a layer's output."""
    states = [call.new_states[number] for call in calls[:-1]]
    if layer is None:
        return tuple(states)
    steps: list[Tensor] = []
    part = calls[-1].part
    if number == 0 and part.directions == 1 and layer == part.layers - 1:
        steps = list(calls[-1].outputs[:-1])
    return (*(state[layer] for state in states), *steps)
