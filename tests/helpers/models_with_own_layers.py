"""Taggers of two directions, each a layer of its own class that gives its outputs alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class OutputsAlone(nn.Module):
    """A simple RNN over time, batch first, that gives its outputs and no state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.cell = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        h, outputs = x.new_zeros(x.size(0), self.hidden_size), []
        for t in range(x.size(1)):
            h = torch.tanh(self.cell(torch.cat([x[:, t], h], -1)))
            outputs.append(h)
        return torch.stack(outputs, 1)


class OwnLayersOfBothWays(nn.Module):
    """Word ids (batch, time) in, scores (batch, time, 6) out."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(40, 10)
        self.onward, self.back = OutputsAlone(10, 9), OutputsAlone(10, 9)
        self.head = nn.Linear(18, 6)

    def in_reverse(self, words: Tensor) -> Tensor:
        return self.back(words.flip(1)).flip(1)

    def forward(self, ids: Tensor) -> Tensor:
        words = self.embedding(ids)
        return self.head(torch.cat([self.onward(words), self.in_reverse(words)], -1))


class OwnLayersNotTurned(OwnLayersOfBothWays):
    """The outputs of its reverse direction stand in the order in which they were read."""

    def in_reverse(self, words: Tensor) -> Tensor:
        return self.back(words.flip(1))
