"""Are the final states of one layer handed to another in their order?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_harness.validation.models.check_cells import STATE_WORDS
from rnn_harness.validation.models.given_states import holds_same_numbers
from rnn_harness.validation.models.part_calls import PartCall, part_calls
from rnn_harness.validation.models.statement import WiringStatement, agrees, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "handed-states"


def check_handed_states(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Compare the two states that a part starts from with the two that another part of the same class gave.

    An encoder hands its final states to a decoder so. Parts of one class name their states in one order: both
    exchanged, the hidden state starts from a cell state.

    Args:
        model: The model; of its baseline run every part's first call that is given two states is looked at.
    """
    calls = {part.name: part_calls(model.baseline, part) for part in model.called_parts}
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


def _order(given: tuple[Tensor, ...], call: PartCall) -> tuple[int | None, ...]:
    """Which new state of a call each given state is; None for one that is none of them."""
    return tuple(
        next((index for index, new in enumerate(call.new_states) if holds_same_numbers(state, new)), None)
        for state in given
    )
