"""Layers whose outputs are not as wide as their states: both directions by hand, a projection; stacks of own cells."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from rnn_harness.array_types import Array


class BothDirections(nn.Module):
    """Two directions side by side, from one stack of weights."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(2, input_size, hidden_size) / 2)
        self.U = nn.Parameter(torch.randn(2, hidden_size, hidden_size) / 2)

    def run(self, x: Tensor, direction: int) -> Tensor:
        h, outputs = x.new_zeros(len(x), self.U.shape[1]), []
        for x_t in x.unbind(1):
            h = torch.tanh(x_t @ self.W[direction] + h @ self.U[direction])
            outputs.append(h)
        return torch.stack(outputs, 1)

    def turned_back(self, outputs: Tensor) -> Tensor:
        return outputs.flip(1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.run(x, 0), self.turned_back(self.run(x.flip(1), 1))], -1)


class NotTurnedBack(BothDirections):
    """Wrong: the outputs of the second direction stay in the order in which they were computed."""

    def turned_back(self, outputs: Tensor) -> Tensor:
        return outputs


class ProjectedLSTM(nn.Module):
    """An LSTM whose output is projected to another width, and fed back."""

    def __init__(self, input_size: int, hidden_size: int, proj_size: int = 4) -> None:
        super().__init__()
        self.hidden_size, self.proj_size = hidden_size, proj_size
        self.x2h, self.r2h = nn.Linear(input_size, 4 * hidden_size), nn.Linear(proj_size, 4 * hidden_size, bias=False)
        self.projection = nn.Linear(hidden_size, proj_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        r, c = x.new_zeros(len(x), self.proj_size), x.new_zeros(len(x), self.hidden_size)
        outputs = []
        for x_t in x.unbind(1):
            i, f, g, o = (self.x2h(x_t) + self.r2h(r)).chunk(4, -1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            r = self.projection(torch.sigmoid(o) * torch.tanh(c))
            outputs.append(r)
        return torch.stack(outputs, 1)


class IndRNNCell(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(hidden_size, input_size) / 2)
        self.u, self.b = nn.Parameter(torch.rand(hidden_size)), nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.relu(x @ self.w.T + self.u * h + self.b)


class IndRNNStack(nn.Module):
    """Three layers of cells whose parameters are those of none of the three families."""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 3) -> None:
        super().__init__()
        self.num_layers, self.hidden_size = num_layers, hidden_size
        self.cells = nn.ModuleList(self.layers(input_size, hidden_size))

    def layers(self, n: int, d: int) -> list[IndRNNCell]:
        return [IndRNNCell(n if layer == 0 else d, d) for layer in range(self.num_layers)]

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        states, top = [x.new_zeros(len(x), self.hidden_size) for _ in self.cells], []
        for value in x.unbind(1):
            for layer, cell in enumerate(self.cells):
                value = states[layer] = cell(value, states[layer])
            top.append(value)
        return torch.stack(top, 1), states


class IndRNNOfOneObject(IndRNNStack):
    """Wrong: the layers above the first are one object."""

    def layers(self, n: int, d: int) -> list[IndRNNCell]:
        return [IndRNNCell(n, d)] + [IndRNNCell(d, d)] * (self.num_layers - 1)


class NumpyBothDirections:
    """Two directions in NumPy, (T, B, n) to (T, B, 2 d)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(0)
        self.W = rng.normal(size=(2, input_size, hidden_size)) / 2
        self.U = rng.normal(size=(2, hidden_size, hidden_size)) / 2

    def run(self, x: Array, direction: int) -> Array:
        h, outputs = np.zeros((x.shape[1], self.U.shape[1])), []
        for x_t in x:
            h = np.tanh(x_t @ self.W[direction] + h @ self.U[direction])
            outputs.append(h)
        return np.stack(outputs)

    def forward(self, x: Array) -> Array:
        return np.concatenate([self.run(x, 0), self.run(x[::-1], 1)[::-1]], -1)


class NumpyNotTurnedBack(NumpyBothDirections):
    """Wrong: the outputs of the second direction stay in the order in which they were computed."""

    def forward(self, x: Array) -> Array:
        return np.concatenate([self.run(x, 0), self.run(x[::-1], 1)], -1)
