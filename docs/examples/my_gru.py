"""A GRU as one writes it, and the same with a mistake: the tutorial "Is my GRU right?"."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MyGRU(nn.Module):
    """One step: x (B, n), h (B, d); the reset gate acts before the recurrent product."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inputs = nn.Linear(input_size, 3 * hidden_size)
        self.gates = nn.Linear(hidden_size, 2 * hidden_size, bias=False)
        self.candidate = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the new state."""
        x_r, x_z, x_g = self.inputs(x).chunk(3, dim=-1)
        h_r, h_z = self.gates(h).chunk(2, dim=-1)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        g = torch.tanh(x_g + self.candidate(r * h))
        return z * h + (1 - z) * g


class WrongGRU(MyGRU):
    """The last line forgets (1 - z)."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the new state."""
        x_r, x_z, x_g = self.inputs(x).chunk(3, dim=-1)
        h_r, h_z = self.gates(h).chunk(2, dim=-1)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        g = torch.tanh(x_g + self.candidate(r * h))
        return z * h + g
