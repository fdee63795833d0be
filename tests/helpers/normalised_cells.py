"""Cells whose gates are normalised, with the constant below the root that their users choose."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class NormalisedGRU(nn.Module):
    """All gates of a GRU are normalised together, and the reset gate acts on the whole candidate."""

    def __init__(self, input_size: int, hidden_size: int, eps: float = 1e-3) -> None:
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 3 * hidden_size, bias=False)
        self.norm = nn.LayerNorm(3 * hidden_size, eps=eps)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        reset, candidate, update = self.norm(self.gates(torch.cat([x, h], -1))).chunk(3, -1)
        candidate = torch.tanh(torch.sigmoid(reset) * candidate)
        update = torch.sigmoid(update - 1)
        return update * candidate + (1 - update) * h


class NormalisedRNN(nn.Module):
    """A simple RNN whose argument is normalised, with the constant below the root that Keras takes."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.of_input = nn.Linear(input_size, hidden_size, bias=False)
        self.of_state = nn.Linear(hidden_size, hidden_size, bias=False)
        self.norm = nn.LayerNorm(hidden_size, eps=1e-3)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.norm(self.of_input(x) + self.of_state(h)))
