"""The pairs that people ask about: the same cell of two libraries, with its weights, or two that only look alike."""

from __future__ import annotations

from typing import Any

import pytest

from rnn_harness.comparison.compare import compare_loaded
from rnn_harness.validation import load_target

PAIRS: dict[str, tuple[str, str, dict[str, Any], str, tuple[str, ...]]] = {
    "Keras GRU, reset after": ("torch.nn:GRU", "keras.layers:GRU", {}, "same", ()),
    "Keras GRU, reset before": (
        "torch.nn:GRU",
        "keras.layers:GRU",
        {"reset_after": False},
        "different",
        (
            "b_hg (the recurrent bias of the candidate) is zero",
            "W_hg (the recurrent weights of the candidate) are diag",
        ),
    ),
    "Keras LSTM": ("torch.nn:LSTM", "keras.layers:LSTM", {}, "same", ()),
    "linen GRU, one bias inside": (
        "torch.nn:GRU",
        "flax.linen:GRUCell",
        {},
        "same",
        (),
    ),
    "equinox GRU": ("torch.nn:GRU", "equinox.nn:GRUCell", {}, "same", ()),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_of_two_libraries_is_what_it_is(name: str) -> None:
    first, second, options, outcome, conditions = PAIRS[name]
    comparison = compare_loaded(load_target(first), load_target(second, options))
    assert comparison.outcome == outcome, comparison.sentence
    for words in conditions:
        assert any(words in condition for condition in comparison.conditions)
    for side in (comparison.left, comparison.right):
        assert any(row.is_within_bound for row in side.precision)
