"""Cells whose output is no state, and comes back beside the states in one tuple: first, last or between them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class _MemoryController(nn.Module):
    """The gates of an MCLSTM."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(input_size, 5 * hidden_size), nn.Linear(hidden_size, 5 * hidden_size)

    def step(self, x: Tensor, v: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the output h, and the new states v and c."""
        f, i, o, k, g = (self.inner(x) + self.outer(v)).chunk(5, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), torch.sigmoid(k) * torch.tanh(c), c


class OutputFirst(_MemoryController):
    def forward(self, x: Tensor, states: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        return self.step(x, *states)


class OutputLast(_MemoryController):
    def forward(self, x: Tensor, v: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h, v, c = self.step(x, v, c)
        return v, c, h


class OutputBetween(_MemoryController):
    def forward(self, x: Tensor, states: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        h, v, c = self.step(x, *states)
        return v, h, c


class WrongOutputLast(_MemoryController):
    """Wrong: tanh is taken of the output twice."""

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        h, v, c = self.step(x, *states)
        return v, c, torch.tanh(h)


class _NamedController(nn.Module):
    """The parameters of an MCLSTM by the names that the spec has."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        for gate in "fiokg":
            self.register_parameter(f"W_{gate}", nn.Parameter(torch.randn(hidden_size, input_size) / 2))
            self.register_parameter(f"U_{gate}", nn.Parameter(torch.randn(hidden_size, hidden_size) / 2))
            self.register_parameter(f"b_{gate}", nn.Parameter(torch.randn(hidden_size) / 2))

    def gate(self, letter: str, x: Tensor, v: Tensor) -> Tensor:
        """Return the argument of a gate."""
        weights = dict(self.named_parameters())
        return x @ weights[f"W_{letter}"].T + v @ weights[f"U_{letter}"].T + weights[f"b_{letter}"]


class WrongMemoryFirst(_NamedController):
    """Wrong: the forget gate has tanh. The output comes back first."""

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        v, c = states
        written = torch.sigmoid(self.gate("i", x, v)) * torch.tanh(self.gate("g", x, v))
        c = torch.tanh(self.gate("f", x, v)) * c + written
        o, k = torch.sigmoid(self.gate("o", x, v)), torch.sigmoid(self.gate("k", x, v))
        return o * torch.tanh(c), k * torch.tanh(c), c


class WrongShowingFirst(_NamedController):
    """Wrong: its output lacks the tanh of the memory, and its states are right. The output comes back first."""

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        v, c = states
        written = torch.sigmoid(self.gate("i", x, v)) * torch.tanh(self.gate("g", x, v))
        c = torch.sigmoid(self.gate("f", x, v)) * c + written
        o, k = torch.sigmoid(self.gate("o", x, v)), torch.sigmoid(self.gate("k", x, v))
        return o * c, k * torch.tanh(c), c


class _Crossing(nn.Module):
    """The gates of an intersection RNN, of one state, whose inputs are as wide as it."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(input_size, 4 * hidden_size), nn.Linear(hidden_size, 4 * hidden_size)

    def step(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output y and the new state h."""
        p, q, g, k = (self.inner(x) + self.outer(h)).chunk(4, 1)
        g, k = torch.sigmoid(g), torch.sigmoid(k)
        return g * x + (1 - g) * torch.relu(p), k * h + (1 - k) * torch.tanh(q)


class CrossingOutputFirst(_Crossing):
    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return self.step(x, h)


class CrossingStateFirst(_Crossing):
    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        y, h = self.step(x, h)
        return h, y


class WrongCrossingOutputFirst(_Crossing):
    """Wrong: the output is bounded by a tanh."""

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        y, h = self.step(x, h)
        return torch.tanh(y), h


class WrongCrossingStateFirst(_Crossing):
    """Wrong: the new state is what the input writes, with the sign changed."""

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        y, h = self.step(x, h)
        return -h, y


class RectifiedBeforeStates(nn.Module):
    """An LSTM that gives its hidden state, rectified, in front of its states."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(input_size, hidden_size)

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        h, c = self.cell(x, states)
        return torch.relu(h), h, c


class RectifiedBehindState(nn.Module):
    """A GRU that gives its state, rectified, behind it."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        h = self.cell(x, h)
        return h, torch.relu(h)
