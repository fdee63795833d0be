"""Cells near a known one in float64: by a constant of their own, which is no mistake, or by coarse arithmetic."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class NormalisedElman(nn.Module):
    """Its inputs are divided by the root of 1 + 1e-5: running statistics of a batch that it has not seen yet."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(input_size, affine=False)
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_state = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.from_input(self.norm(x)) + self.from_state(h))


class DampedGRU(nn.Module):
    """The recurrent part of its gates is a ten thousandth smaller."""

    DAMPING = 1 - 1e-4

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.i2h = nn.Linear(input_size, 3 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 3 * hidden_size)

    def recurrent(self, h: Tensor) -> Tensor:
        return self.h2h(self.DAMPING * h)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        xr, xz, xn = self.i2h(x).chunk(3, -1)
        hr, hz, hn = self.recurrent(h).chunk(3, -1)
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        return (1 - z) * torch.tanh(xn + r * hn) + z * h


class NormalisedLSTM(nn.Module):
    """An LSTM whose inputs are normalised as those of `NormalisedElman`."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(input_size, affine=False)
        self.i2h = nn.Linear(input_size, 4 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size, bias=False)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f, g, o = (self.i2h(self.norm(x)) + self.h2h(h)).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class CoarseWeightsGRU(DampedGRU):
    """Its recurrent weights are cast to float32."""

    def recurrent(self, h: Tensor) -> Tensor:
        return nn.functional.linear(h, self.h2h.weight.float().to(h.dtype), self.h2h.bias)


class CoarseProductsGRU(DampedGRU):
    """Its recurrent products are computed in float32."""

    def recurrent(self, h: Tensor) -> Tensor:
        return nn.functional.linear(h.float(), self.h2h.weight.float(), self.h2h.bias.float()).to(h.dtype)


class ApproximateElman(nn.Module):
    """Its tanh is a continued fraction, right to about a millionth."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_state = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        a = self.from_input(x) + self.from_state(h)
        s = a * a
        above = 34459425 + s * (4729725 + s * (135135 + s * (990 + s)))
        below = 34459425 + s * (16216200 + s * (945945 + s * (13860 + 45 * s)))
        return a * above / below


class CooledGRU(nn.Module):
    """The arguments of its gates are divided by a temperature near 1."""

    TEMPERATURE = 1.0005

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 2 * hidden_size)
        self.candidate = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z, r = torch.sigmoid(self.gates(torch.cat([x, h], -1)) / self.TEMPERATURE).chunk(2, -1)
        return (1 - z) * h + z * torch.tanh(self.candidate(torch.cat([x, r * h], -1)))


class DampedLSTM(nn.Module):
    """What is left of its cell state loses a ten thousandth in each step."""

    DAMPING = 0.9999

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.i2h = nn.Linear(input_size, 4 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size, bias=False)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f, g, o = (self.i2h(x) + self.h2h(h)).chunk(4, -1)
        c = self.DAMPING * torch.sigmoid(f + 1.0) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class LeakyElman(nn.Module):
    """A ten thousandth of its state leaks through."""

    LEAK = 1e-4

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_state = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.LEAK * h + (1 - self.LEAK) * torch.tanh(self.from_input(x) + self.from_state(h))


class ShiftedGateGRU(CooledGRU):
    """A hundred thousandth is added to its gates, so that none is ever shut."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z, r = (torch.sigmoid(self.gates(torch.cat([x, h], -1))) + 1e-5).chunk(2, -1)
        return (1 - z) * h + z * torch.tanh(self.candidate(torch.cat([x, r * h], -1)))


class ScaledOutputs(nn.Module):
    """The layer of an Elman RNN whose outputs are a ten thousandth larger than its states."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs, last = self.rnn(x, h)
        return 1.0001 * outputs, last


class CoarseTemperatureGRU(CooledGRU):
    """Its gates are computed in float32, with a temperature besides."""

    TEMPERATURE = 1.00001

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        gates = self.gates(torch.cat([x, h], -1)) / self.TEMPERATURE
        z, r = torch.sigmoid(gates.float()).to(h.dtype).chunk(2, -1)
        return (1 - z) * h + z * torch.tanh(self.candidate(torch.cat([x, r * h], -1)))
