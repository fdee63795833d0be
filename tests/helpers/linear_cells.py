"""Simple RNNs without an activation: as a cell, and with scores of classes beside its state."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LinearCell(nn.Module):
    """Adds what the input and the state give."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.kernel = nn.Linear(input_size, hidden_size, bias=False)
        self.recurrent_kernel = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.kernel(x) + self.recurrent_kernel(h)


class LinearCellWithScores(nn.Module):
    """Classifies what it reads, with a state to which no activation is applied."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.to_state = nn.Linear(input_size + hidden_size, hidden_size)
        self.to_scores = nn.Linear(input_size + hidden_size, 4)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        joined = torch.cat([x, h], 1)
        return torch.log_softmax(self.to_scores(joined), 1), self.to_state(joined)
