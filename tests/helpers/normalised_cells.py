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


class SeparatelyNormalisedGRU(nn.Module):
    """Its gates are normalised together and its candidate by itself, those of inputs and states apart (Ba 2016)."""

    def __init__(self, input_size: int, hidden_size: int, eps: float = 1e-3) -> None:
        super().__init__()
        self.gates = nn.ModuleList(nn.Linear(n, 2 * hidden_size, bias=False) for n in (input_size, hidden_size))
        self.candidates = nn.ModuleList(nn.Linear(n, hidden_size, bias=False) for n in (input_size, hidden_size))
        self.of_gates = nn.ModuleList(nn.LayerNorm(2 * hidden_size, eps) for _ in range(2))
        self.of_candidates = nn.ModuleList(nn.LayerNorm(hidden_size, eps) for _ in range(2))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        a, b = (norm(part(v)) for norm, part, v in zip(self.of_gates, self.gates, (x, h), strict=True))
        z, r = torch.sigmoid(a + b).chunk(2, -1)
        a, b = (norm(part(v)) for norm, part, v in zip(self.of_candidates, self.candidates, (x, h), strict=True))
        return (1 - z) * h + z * torch.tanh(a + r * b)


class NormalisedLSTM(nn.Module):
    """All gates of inputs, all gates of states, and the cell state where it is read are normalised (Ba 2016)."""

    def __init__(self, input_size: int, hidden_size: int, eps: float = 1e-3) -> None:
        super().__init__()
        self.i2h = nn.Linear(input_size, 4 * hidden_size, bias=False)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        self.of_inputs, self.of_states = nn.LayerNorm(4 * hidden_size, eps), nn.LayerNorm(4 * hidden_size, eps)
        self.of_cell = nn.LayerNorm(hidden_size, eps)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, g, f, o = (self.of_inputs(self.i2h(x)) + self.of_states(self.h2h(h))).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(self.of_cell(c)), c
