"""Two models are compared layer by layer, and their wiring on the same weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import rnn_harness


class TwoLayers(nn.Module):
    """Two layers of torch, one above the other; with another order of time between them where that is wanted."""

    turns_between = False

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.lower = nn.GRU(input_size, hidden_size)
        self.upper = nn.GRU(hidden_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        middle = self.lower(x)[0]
        outputs: Tensor = self.upper(middle.flip(0) if self.turns_between else middle)[0]
        return outputs


class TurnedBetween(TwoLayers):
    turns_between = True


def test_layers_that_are_proved_equal_and_wired_alike_are_the_same_model() -> None:
    comparison = rnn_harness.compare(nn.GRU(5, 3, num_layers=2), TwoLayers)
    assert comparison.outcome == "same", comparison
    assert "identities of polynomials proved" in comparison.proof
    line = "layer 1 of the layer: upper.weight_ih_l0, block 1 of 3  <-  weight_ih_l1, block 1 of 3"
    assert line in comparison.map, comparison.map


def test_layers_that_are_wired_otherwise_are_not_called_the_same() -> None:
    comparison = rnn_harness.compare(nn.GRU(5, 3, num_layers=2), TurnedBetween)
    assert comparison.outcome == "undecided", comparison
    assert "on the same weights the models give something else" in comparison.sentence


@pytest.mark.deep("tests/unit/comparison/test_models.py::test_layers_that_are_wired_otherwise_are_not_called_the_same")
@pytest.mark.parametrize(
    ("second", "outcome", "words"),
    [
        (nn.LSTM(5, 3, num_layers=2), "different", "they are cells of two families"),
        (nn.GRU(5, 3, num_layers=2, bidirectional=True), "undecided", "has 2 recurrent layers and"),
        (nn.GRU(5, 3), "undecided", "is a model of 2 recurrent layers: it is compared with models alone"),
        (nn.GRU(5, 3, num_layers=2, bias=False), "different", "is zero"),
    ],
    ids=["another family", "more directions", "one layer", "no biases"],
)
def test_models_whose_layers_differ_say_in_what(second: nn.Module, outcome: str, words: str) -> None:
    comparison = rnn_harness.compare(nn.GRU(5, 3, num_layers=2), second)
    assert comparison.outcome == outcome, comparison
    assert words in str(comparison)


@pytest.mark.deep("tests/unit/comparison/test_models.py::test_layers_that_are_wired_otherwise_are_not_called_the_same")
def test_both_directions_are_layers_of_their_own() -> None:
    torch.manual_seed(0)
    comparison = rnn_harness.compare(
        nn.LSTM(5, 3, num_layers=2, bidirectional=True), nn.LSTM(5, 3, 2, bidirectional=True, batch_first=True)
    )
    assert comparison.outcome == "same", comparison
    assert any(line.startswith("layer 1 of the layer, reverse: ") for line in comparison.map)
