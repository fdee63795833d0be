"""Cells of the literature whose gate is the complement of the paper's, and one that exchanges it in one place alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GateAndCandidate(nn.Module):
    """The layers of a cell with one gate: both read the input and the state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.f = nn.Linear(input_size + hidden_size, hidden_size)
        self.g = nn.Linear(input_size + hidden_size, hidden_size)

    def gate(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.sigmoid(self.f(torch.cat([x, h], -1)))

    def candidate(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.g(torch.cat([x, h], -1)))


class AsPrinted(GateAndCandidate):
    """The minimal gated unit of the paper."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        f = self.gate(x, h)
        return (1 - f) * h + f * self.candidate(x, f * h)


class KeepsWhereThePaperWrites(GateAndCandidate):
    """Its gate is 1 - f of the paper everywhere."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        f = self.gate(x, h)
        return f * h + (1 - f) * self.candidate(x, (1 - f) * h)


class ExchangedInTheStateAlone(GateAndCandidate):
    """No weights make it the paper's: its candidate reads the state by f, and its state is kept by f."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        f = self.gate(x, h)
        return f * h + (1 - f) * self.candidate(x, f * h)


class LightGRUThatWrites(nn.Module):
    """The light GRU with z for the candidate, where the paper has it for the old state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.wz, self.uz = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        self.wh, self.uh = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z = torch.sigmoid(self.wz(x) + self.uz(h))
        return (1 - z) * h + z * torch.relu(self.wh(x) + self.uh(h))
