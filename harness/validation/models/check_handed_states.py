"""Are the final states of one layer handed to another in their order?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rnn_harness.validation.models.check_cells import STATE_WORDS
from rnn_harness.validation.models.given_states import holds_same_numbers
from rnn_harness.validation.models.lists_of_layers import is_layer_above
from rnn_harness.validation.models.part_calls import PartCall, part_calls
from rnn_harness.validation.models.statement import WiringStatement, agrees, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "handed-states"


def check_handed_states(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Compare the two states that a part starts from with the two that another part of the same class gave.

    An encoder hands its final states to a decoder so. Parts of one class name their states in one order: both
    exchanged, the hidden state starts from a cell state. The same is asked of states that are those of several parts,
    or of both directions, side by side. A layer above another one has states of its own, and starts from none of those
    that the layer below ended in.

    Args:
        model: The model; of its baseline run every part's first call that is given two states is looked at.
    """
    calls = {part.name: part_calls(model.baseline, part) for part in model.called_parts}
    yield from _states_of_layers_below(model, calls)
    for part in model.called_parts:
        given = next((call.given_states for call in calls[part.name] if len(call.given_states) == len(STATE_WORDS)), ())
        if not given or all(not bool(state.any()) for state in given):
            continue
        others = [
            other for other in model.called_parts if other is not part and other.module_class == part.module_class
        ]
        for other in others:
            orders = [_order(given, call) for call in calls[other.name]]
            if (1, 0) in orders:
                sentence = (
                    f"{part.shown_name} is given the {STATE_WORDS[1]} of {other.shown_name} as its {STATE_WORDS[0]}, "
                    f"and the {STATE_WORDS[0]} as its {STATE_WORDS[1]}: they are exchanged"
                )
                yield refuted(CHECK, sentence, part.name)
            elif (0, 1) in orders:
                yield agrees(CHECK, f"{part.shown_name} starts from the states of {other.shown_name}", part.name)
        pieces = [piece for other in others for call in calls[other.name] for piece in _pieces(call)]
        sources = [_sources(state, pieces) for state in given]
        if not all(sources):
            continue
        if all(set(indices) == {slot} for slot, indices in enumerate(sources)):
            yield agrees(CHECK, f"{part.shown_name} starts from states side by side", part.name)
            continue
        words = [" and the ".join(STATE_WORDS[index] for index in indices) for indices in sources]
        sentence = (
            f"{part.shown_name} is given the {words[0]} of others side by side as its {STATE_WORDS[0]}, and the "
            f"{words[1]} as its {STATE_WORDS[1]}: they are mixed"
        )
        yield refuted(CHECK, sentence, part.name)


def _states_of_layers_below(model: ModelUnderTest, calls: Mapping[str, list[PartCall]]) -> Iterator[WiringStatement]:
    """Refute a layer of a list that starts from the final states of the one whose outputs it reads step for step."""
    for part, lower_part in itertools.permutations(model.called_parts, 2):
        if not calls[part.name] or not calls[lower_part.name] or not is_layer_above(model, part, lower_part):
            continue
        first_states, finals = calls[part.name][0].given_states, calls[lower_part.name][-1].new_states
        is_same = len(first_states) == len(finals) > 0 and all(map(holds_same_numbers, first_states, finals))
        if is_same and any(bool(state.any()) for state in first_states):
            sentence = (
                f"{part.shown_name} reads every output of {lower_part.shown_name}, and starts from the states in which "
                f"{lower_part.shown_name} ended: the states are not reset between the layers, so steps depend on later "
                "ones"
            )
            yield refuted(CHECK, sentence, part.name)


def _order(given: tuple[Tensor, ...], call: PartCall) -> tuple[int | None, ...]:
    """Which new state of a call each given state is; None for one that is none of them."""
    return tuple(
        next((index for index, new in enumerate(call.new_states) if holds_same_numbers(state, new)), None)
        for state in given
    )


def _pieces(call: PartCall) -> Iterator[tuple[int, Tensor]]:
    """Yield the new states (B, d) of a call, each direction by itself, with which of its two states each is."""
    for index, state in enumerate(call.new_states):
        yield from ((index, direction) for direction in state.reshape(-1, *state.shape[-2:]))


def _sources(state: Tensor, pieces: list[tuple[int, Tensor]]) -> list[int]:
    """Of a state that is several pieces side by side, which of the two states each piece is; empty for any other."""
    if state.numel() != state.shape[-2] * state.shape[-1]:
        return []
    columns, sources = state.reshape(state.shape[-2:]), list[int]()
    while columns.shape[1]:
        fitting = ((index, piece.shape[1]) for index, piece in pieces if _begins_with(columns, piece))
        index, width = next(fitting, (0, 0))
        if not width:
            return []
        sources.append(index)
        columns = columns[:, width:]
    return sources if len(sources) > 1 else []


def _begins_with(columns: Tensor, piece: Tensor) -> bool:
    """Whether the first columns are those of a piece that is not zero everywhere."""
    return bool(piece.any()) and holds_same_numbers(columns[:, : piece.shape[1]], piece)
