"""What a step gives besides its states is no part of any equation: where it is not the hidden state, that is told."""

from __future__ import annotations

import pytest

from rnn_harness.validation import load_target
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.output_beside_states import ANOTHER_STATE, NO_STATE, note_on_output
from tests.helpers import HELPERS


@pytest.mark.parametrize(
    ("name", "note"), [("HiddenState", ()), ("CellState", (ANOTHER_STATE,)), ("NoState", (NO_STATE,))]
)
def test_an_output_that_is_not_the_hidden_state_is_told(name: str, note: tuple[str, ...]) -> None:
    probe = probe_target(load_target(f"{HELPERS / 'outputs_beside_states.py'}:{name}"))
    assert note_on_output(probe, ("h", "c")) == note
