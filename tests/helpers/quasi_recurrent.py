"""Quasi-recurrent cells: states of two widths, the cell and the input before, and an output that is none of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class QuasiCell(nn.Module):
    """Both states in one tuple, behind the output."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.conv = nn.Linear(2 * input_size, 3 * hidden_size)

    def gates(self, x: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the candidate, the forget gate and the output gate."""
        z, f, o = self.conv(torch.cat([last, x], -1)).chunk(3, -1)
        return torch.tanh(z), torch.sigmoid(f), torch.sigmoid(o)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Compute a step."""
        c, last = state
        z, f, o = self.gates(x, last)
        c = f * c + (1 - f) * z
        return o * c, (c, x)


class QuasiCellOfOldInput(QuasiCell):
    """Wrong: it hands on the input that it was given."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Compute a step."""
        h, (c, _) = super().forward(x, state)
        return h, (c, state[1])


class QuasiCellOfTwoTanh(QuasiCell):
    """Wrong: tanh is applied to the cell in the output, which is no state."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Compute a step."""
        c, last = state
        z, f, o = self.gates(x, last)
        c = f * c + (1 - f) * z
        return o * torch.tanh(c), (c, x)


class QuasiCellThatShowsItsCell(QuasiCell):
    """Its output is the cell, which is a state."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Compute a step."""
        _, (c, last) = super().forward(x, state)
        return c, (c, last)


class QuasiCellApart(nn.Module):
    """The input before is the first state, each is an argument, and one kernel of two taps holds all weights."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(3 * hidden_size, input_size, 2) / 3)
        self.bias = nn.Parameter(torch.randn(3 * hidden_size) / 3)

    def forward(self, x: Tensor, last: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute a step."""
        taps = torch.stack([last, x], -1)
        z, f, o = (torch.einsum("kni,bni->bk", self.kernel, taps) + self.bias).chunk(3, -1)
        c = torch.sigmoid(f) * c + (1 - torch.sigmoid(f)) * torch.tanh(z)
        return torch.sigmoid(o) * c, x, c
