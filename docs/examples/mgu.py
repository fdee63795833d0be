"""The minimal gated unit in ordinary torch, and a wrong one: the tutorial "The cell of your paper"."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MGU(nn.Module):
    """One step of a minimal gated unit: x (B, n), h (B, d)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W_f = nn.Linear(input_size, hidden_size)
        self.U_f = nn.Linear(hidden_size, hidden_size, bias=False)
        self.W_g = nn.Linear(input_size, hidden_size)
        self.U_g = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the new state."""
        f = torch.sigmoid(self.W_f(x) + self.U_f(h))
        g = torch.tanh(self.W_g(x) + self.U_g(f * h))
        return (1 - f) * h + f * g


class BadMGU(MGU):
    """The candidate sees the old state without the gate."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the new state."""
        f = torch.sigmoid(self.W_f(x) + self.U_f(h))
        g = torch.tanh(self.W_g(x) + self.U_g(h))
        return (1 - f) * h + f * g
