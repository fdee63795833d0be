"""Simple RNN cells that take one vector, and what they give for several rows."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Turned(nn.Module):
    """Gives the states of rows transposed; those of one vector are right."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(hidden_size, input_size) / 2)
        self.U = nn.Parameter(torch.randn(hidden_size, hidden_size) / 2)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        state = torch.tanh(x @ self.W.T + h @ self.U.T)
        return state.t()  # as it is where it has one axis


class TurnedFirst(Turned):
    """Turns the rows over before the product."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.W @ x.t() + self.U @ h.t())


class VectorsAlone(Turned):
    """Takes no rows: its matrices stand in front."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.W @ x + self.U @ h)


class Rows(Turned):
    """Takes rows, and gives rows."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(x @ self.W.T + h @ self.U.T)
