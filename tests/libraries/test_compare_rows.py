"""Masks of Keras and lengths of flax: what leaves out padding is not the same as what does not."""

from __future__ import annotations

import pytest

import rnn_harness
from rnn_harness.validation import load_target
from tests.helpers import HELPERS


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ("mask_of_tokens", "no_mask_of_tokens", "different"),
        ("mask_of_tokens", "mask_of_tokens", "same"),
        ("mask_of_numbers", "no_mask_of_numbers", "different"),
    ],
)
def test_a_mask_of_keras_counts(first: str, second: str, outcome: str) -> None:
    pytest.importorskip("keras")
    from rnn_harness.comparison.compare import compare_loaded

    sides = [load_target(f"{HELPERS / 'keras_padded.py'}:{name}") for name in (first, second)]
    comparison = compare_loaded(sides[0], sides[1])
    assert comparison.outcome == outcome, comparison
    assert "behind the shorter ones" in f"{comparison.sentence} {comparison.lengths}"


def test_a_layer_of_flax_that_goes_on_past_its_lengths_is_not_the_same() -> None:
    pytest.importorskip("flax")
    from tests.helpers import flax_padded

    comparison = rnn_harness.compare(flax_padded.Ended, flax_padded.NotEnded)
    assert comparison.outcome == "different", comparison
    assert "NotEnded gives not what the rows give alone" in comparison.sentence


def test_a_layer_of_keras_with_a_mask_is_the_same_as_packed_rows() -> None:
    keras = pytest.importorskip("keras")
    from torch import nn

    comparison = rnn_harness.compare(keras.layers.SimpleRNN, nn.RNN)
    assert comparison.outcome == "same", comparison
    assert "Rows of several lengths give the same, too" in comparison.lengths
    assert "SimpleRNN: mask" in comparison.lengths
