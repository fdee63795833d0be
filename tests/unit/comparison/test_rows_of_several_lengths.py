"""What agrees on whole sequences may part where rows end before others: lengths, masks and packed rows are compared."""

from __future__ import annotations

import pytest
from torch import nn

import rnn_harness
from rnn_harness.records.comparison import Comparison
from tests.helpers import padded_models as padded


def _words(comparison: Comparison) -> str:
    """What is said, with classes in the place of their modules."""
    sentences = f"{comparison.sentence} {comparison.lengths}"
    return sentences.replace("tests.helpers.padded_models:", "").replace("torch.nn.modules.rnn:", "")


def test_a_model_that_does_not_read_its_lengths_is_not_the_same_as_one_that_packs_its_rows() -> None:
    comparison = rnn_harness.compare(padded.PackedFinal(), padded.PaddedFinal())
    assert comparison.outcome == "different", comparison
    assert "whole sequences give the same, and rows of several lengths do not" in comparison.sentence
    assert "PaddedFinal is told where rows end by lengths" in comparison.sentence


def test_a_layer_whose_state_is_that_after_the_padding_is_not_the_same_as_packed_rows() -> None:
    comparison = rnn_harness.compare(nn.LSTM, padded.TwoStatesPastTheEnd)
    assert comparison.outcome == "different", comparison
    assert "LSTM: packed sequences; TwoStatesPastTheEnd: lengths" in _words(comparison)
    assert "TwoStatesPastTheEnd gives not what the rows give alone" in _words(comparison)


def test_a_layer_that_is_told_its_lengths_is_the_same_as_packed_rows() -> None:
    comparison = rnn_harness.compare(padded.TwoStates, nn.LSTM)
    assert comparison.outcome == "same", comparison
    assert "Rows of several lengths give the same, too (TwoStates: lengths; LSTM: packed sequences)" in _words(
        comparison
    )


@pytest.mark.parametrize(
    ("first", "second", "outcome", "words"),
    [
        (padded.MeanOfSteps, padded.MeanOverPadding, "different", "is told where rows end by attention_mask"),
        (padded.MeanOfTokens, padded.MeanOfAllTokens, "different", "tokens 0 behind the shorter ones"),
        (padded.MeanOfTokens, padded.MeanOfSteps, "same", "give the same, too (MeanOfTokens takes no lengths"),
        (padded.MeanOfAllTokens, padded.MeanOfSteps, "same", "This holds of whole sequences"),
        pytest.param(
            padded.PackedFinal,
            padded.GatheredFinal,
            "same",
            "Rows of several lengths give the same, too",
            marks=pytest.mark.deep(
                "tests/unit/comparison/test_rows_of_several_lengths.py::"
                "test_a_layer_that_is_told_its_lengths_is_the_same_as_packed_rows"
            ),
        ),
    ],
    ids=["mask not read", "tokens not read", "mask or tokens", "one takes none", "gathered"],
)
def test_models_are_compared_on_rows_of_several_lengths(
    first: type[nn.Module], second: type[nn.Module], outcome: str, words: str
) -> None:
    comparison = rnn_harness.compare(first(), second())
    assert comparison.outcome == outcome, comparison
    assert words in _words(comparison)


@pytest.mark.parametrize(
    ("first", "second", "outcome", "words"),
    [
        (padded.KeptByMask, padded.MaskNotRead, "different", "the final state h of row"),
        (padded.KeptByMask, nn.RNN, "same", "give the same, too (KeptByMask: mask; RNN: packed sequences)"),
        (nn.RNN, nn.RNN, "same", "give the same, too"),
        (nn.RNN, nn.RNNCell, "same", "are not compared (RNN: packed sequences; RNNCell takes none)"),
        (nn.RNNCell, nn.RNNCell, "same", ""),
    ],
    ids=["mask not read", "mask or packed", "both packed", "a step takes none", "two steps"],
)
def test_layers_are_compared_on_rows_of_several_lengths(
    first: type[nn.Module], second: type[nn.Module], outcome: str, words: str
) -> None:
    comparison = rnn_harness.compare(first, second)
    assert comparison.outcome == outcome, comparison
    assert words in _words(comparison)
    assert bool(comparison.lengths) == (bool(words) and outcome == "same")
