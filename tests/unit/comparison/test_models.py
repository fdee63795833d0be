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
    line = "layer 1: upper.weight_ih_l0  <-  weight_ih_l1"
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
        (nn.GRU, "undecided", "compare with a stack of as many"),
        (nn.GRU(5, 3, num_layers=2, bias=False), "different", "is zero"),
    ],
    ids=["another family", "more directions", "one layer", "no biases"],
)
def test_models_whose_layers_differ_say_in_what(second: nn.Module | type[nn.Module], outcome: str, words: str) -> None:
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
    assert any(line.startswith("layer 1, reverse: ") for line in comparison.map)


class Tagger(nn.Module):
    """Tokens, a layer with rows first, and a head; with a gain behind the layer that its class does not say."""

    def __init__(self, gain: float = 1.0, layers: int = 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 5)
        self.recurrent = nn.RNN(5, 3, layers, batch_first=True)
        self.head = nn.Linear(3, 2)
        if gain != 1:
            self.recurrent.register_forward_hook(lambda _module, _given, result: (gain * result[0], result[1]))

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.head(self.recurrent(self.embedding(tokens))[0][:, -1])
        return logits


def test_the_layer_of_a_model_is_held_against_a_cell_with_what_stands_around_it_told() -> None:
    comparison = rnn_harness.compare(Tagger(), nn.RNN(5, 3))
    assert comparison.outcome == "same", comparison
    assert comparison.left.target == "recurrent of Tagger"
    assert "recurrent reads the output of embedding" in comparison.left.note
    assert "head.weight" in comparison.left.note
    assert "recurrent of Tagger takes a sequence as (B, T, n), RNN takes a sequence as (T, B, n)" in comparison.calls
    assert all(row.is_within_bound for side in (comparison.left, comparison.right) for row in side.precision)
    assert "weight_hh_l0  <-  recurrent.weight_hh_l0" in comparison.map


def test_a_layer_that_gives_something_else_inside_its_model_is_not_called_the_same() -> None:
    comparison = rnn_harness.compare(nn.RNN(5, 3), Tagger(gain=1.001))
    assert comparison.outcome == "undecided", comparison
    assert "recurrent of Tagger gave numbers beyond the bound of the equations there" in comparison.sentence


@pytest.mark.deep(
    "tests/unit/comparison/test_models.py::"
    "test_a_layer_that_gives_something_else_inside_its_model_is_not_called_the_same"
)
@pytest.mark.parametrize(
    ("first", "second", "outcome", "words"),
    [
        (Tagger(layers=2), nn.RNN(5, 3, 2), "same", "both stacks gave the same"),
        (nn.RNN(5, 3, 2), Tagger(layers=2, gain=1.001), "undecided", "give something else"),
        (Tagger(), nn.RNN(5, 3, nonlinearity="relu"), "different", "goes through"),
        (Tagger(), nn.GRU(5, 3), "different", "they are cells of two families"),
        (Tagger(layers=2), nn.RNN(5, 3), "undecided", "each of the 2 recurrent layers of Tagger"),
    ],
    ids=["a stack", "a stack that gives more", "another function", "another family", "fewer layers"],
)
def test_models_and_layers_say_how_far_they_agree(
    first: nn.Module, second: nn.Module, outcome: str, words: str
) -> None:
    comparison = rnn_harness.compare(first, second)
    assert comparison.outcome == outcome, comparison
    assert words in str(comparison)
