"""Right cells of their own whose parameters might be those of an LSTM by their shapes, and are near no known cell."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChaosFree(nn.Module):
    """A cell with two gates and no recurrent weights in what they multiply, of which one function is another one."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 2 * hidden_size)
        self.inner = nn.Linear(input_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        theta, eta = torch.sigmoid(self.gates(torch.cat((x, h), dim=1))).chunk(2, dim=1)
        return theta * torch.tanh(h) + eta * torch.sin(self.inner(x))


class GatesOfEverything(nn.Module):
    """A residual LSTM whose gates see the cell state by matrices, and whose output has two matrices more."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.of_input = nn.ModuleList(nn.Linear(input_size, hidden_size) for _ in range(4))
        self.of_state = nn.ModuleList(nn.Linear(hidden_size, hidden_size, bias=False) for _ in range(4))
        self.of_cell = nn.ModuleList(nn.Linear(hidden_size, hidden_size, bias=False) for _ in range(3))
        self.projection = nn.Linear(hidden_size, hidden_size, bias=False)
        self.residual = nn.ParameterList([torch.randn(input_size, hidden_size)])

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f, g, o = (a(x) + b(h) for a, b in zip(self.of_input, self.of_state, strict=True))
        see_i, see_f, see_o = self.of_cell
        c = torch.sigmoid(f + see_f(c)) * c + torch.sigmoid(i + see_i(c)) * torch.tanh(g)
        gate = torch.sigmoid(o + see_o(c))
        return gate * (self.projection(torch.tanh(c)) + x @ self.residual[0]), c


class Sine(nn.Module):
    """A simple cell whose state goes through a sine."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner = nn.Linear(input_size, hidden_size)
        self.recurrent = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.sin(self.inner(x) + self.recurrent(h)) + 0.1
