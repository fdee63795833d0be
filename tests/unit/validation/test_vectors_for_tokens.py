"""A model of tokens that computes its recurrence itself is judged with vectors in the place of its embedding's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.validation import ValidationRequest, collect_validation, identify, run_validation
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.loading.vectors_for_tokens import target_of_vectors


class NextLetter(nn.Module):
    """Scores of the letter that comes next, (B, T) -> (B, T, letters), and the last state."""

    def __init__(self, letters: int = 11, embedding_dim: int = 6, hidden_size: int = 7) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.letters = nn.Embedding(letters, embedding_dim)
        self.of_input, self.of_state = nn.Linear(embedding_dim, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.head = nn.Linear(hidden_size, letters)

    def before(self, h: Tensor) -> Tensor:
        return h

    def forward(self, tokens: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x = self.letters(tokens).transpose(0, 1)
        h = x.new_zeros(x.shape[1], self.hidden_size) if h is None else h
        scores = []
        for step in x:
            h = torch.tanh(self.of_input(step) + self.of_state(self.before(h)))
            scores.append(self.head(h))
        return torch.stack(scores, dim=1), h


class CutsThePast(NextLetter):
    def before(self, h: Tensor) -> Tensor:
        return h.detach()


class TwoEmbeddings(NextLetter):
    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Embedding(5, 6)


def test_a_recurrence_behind_an_embedding_is_identified() -> None:
    target = target_of_vectors(target_of("letters", NextLetter))
    assert target is not None
    assert "vectors are given in the place of tokens: its embedding letters is left out" in target.capabilities.notes
    (identification,) = identify(target)
    assert identification.spec == "rnn.tanh"


def test_a_model_of_two_embeddings_is_not_driven_so() -> None:
    assert target_of_vectors(target_of("two", TwoEmbeddings)) is None


@pytest.mark.deep(
    "tests/unit/validation/test_vectors_for_tokens.py::test_a_recurrence_behind_an_embedding_is_identified"
)
@pytest.mark.parametrize(("model", "outcome"), [(NextLetter, "agrees"), (CutsThePast, "refuted")])
def test_such_a_model_is_judged_as_a_cell_is(model: type[nn.Module], outcome: str) -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation("letters", run_validation(target_of("letters", model), request))
    assert validation.outcome == outcome
    assert validation.spec == "rnn.tanh"
