"""Models and cells whose state is made by a method that is called before them, as tutorials have it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Tagger(nn.Module):
    """Its state is of no batch before `init_hidden` is called."""

    def __init__(self, vocab_size: int, embedding_dim: int, hidden_dim: int, tags: int) -> None:
        super().__init__()
        self.hidden_dim = hidden_dim
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim)
        self.tags = nn.Linear(hidden_dim, tags)

    def init_hidden(self, batch_size: int) -> None:
        self.hidden = tuple(torch.zeros(1, batch_size, self.hidden_dim) for _ in range(2))

    def forward(self, sentence: Tensor) -> Tensor:
        outputs, self.hidden = self.lstm(self.embedding(sentence), self.hidden)
        tags: Tensor = self.tags(outputs)
        return tags


class TaggerOfRows(Tagger):
    """The batch comes first, and the state is handed back by the method."""

    def __init__(self, vocab_size: int, embedding_dim: int, hidden_dim: int, tags: int) -> None:
        super().__init__(vocab_size, embedding_dim, hidden_dim, tags)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim, batch_first=True)

    def init_hidden(self, batch_size: int) -> tuple[Tensor, ...]:  # type: ignore[override]  # as others write it
        return tuple(torch.zeros(1, batch_size, self.hidden_dim) for _ in range(2))


class MakesItsStateItself(Tagger):
    """It looks whether it has a state."""

    hidden: tuple[Tensor, ...] | None = None  # type: ignore[assignment]  # none before the first call

    def forward(self, sentence: Tensor) -> Tensor:
        if self.hidden is None:
            self.init_hidden(sentence.shape[1])
        return super().forward(sentence)


class Step(nn.Module):
    """One step at a time; its state is made by `reset_state`."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.joined = nn.Linear(input_size + hidden_size, hidden_size)

    def reset_state(self, rows: int = 1) -> None:
        self.h = torch.zeros(rows, self.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        self.h = torch.tanh(self.joined(torch.cat([x, self.h], 1)))
        return self.h


class OfABatch(nn.Module):
    """A model that is made for a number of rows."""

    def __init__(self, input_dim: int, hidden_dim: int, batch_size: int) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.lstm = nn.LSTM(input_dim, hidden_dim)
        self.hidden = tuple(torch.zeros(1, batch_size, hidden_dim) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        outputs, _ = self.lstm(x.view(len(x), self.batch_size, -1), tuple(state.to(x) for state in self.hidden))
        last: Tensor = outputs[-1]
        return last


class TokenByToken(nn.Module):
    """One token of one sentence in each call."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(input_size, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)

    def forward(self, token: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        outputs, hidden = self.gru(self.embedding(token).view(1, 1, -1), hidden)
        return outputs, hidden
