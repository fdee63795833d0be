"""Torch cells of series with gaps, GRU-D as people write it: right ones, and such whose decay has a wrong sign."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GapCell(nn.Module):
    """A GRU-D whose gates read what they are given as one row."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        width = 2 * input_size + hidden_size
        self.decay, self.decay_bias, self.mean = (nn.Parameter(torch.randn(input_size) / 3) for _ in range(3))
        self.decay_of_state = nn.Linear(input_size, hidden_size)
        self.update, self.reset, self.candidate = (nn.Linear(width, hidden_size) for _ in range(3))

    def decayed(self, gap: Tensor) -> Tensor:
        return torch.exp(-torch.relu(gap))

    def forward(self, x: Tensor, mask: Tensor, delta: Tensor, x_last: Tensor, h: Tensor) -> Tensor:
        share = torch.exp(-torch.relu(self.decay * delta + self.decay_bias))
        x = mask * x + (1 - mask) * (share * x_last + (1 - share) * self.mean)
        h = self.decayed(self.decay_of_state(delta)) * h
        z, r = (torch.sigmoid(gate(torch.cat([x, h, mask], 1))) for gate in (self.update, self.reset))
        return (1 - z) * h + z * torch.tanh(self.candidate(torch.cat([x, r * h, mask], 1)))


class GrowingState(GapCell):
    """Its state grows with the gap."""

    def decayed(self, gap: Tensor) -> Tensor:
        return torch.exp(torch.relu(gap))


class NegativeGap(GapCell):
    """The sign stands inside of the rectifier too."""

    def decayed(self, gap: Tensor) -> Tensor:
        return torch.exp(-torch.relu(-gap))
