"""Right cells whose own weights hide what they do: units of a ReLU that are off, and weights of zero."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class IndependentStep(nn.Module):
    """One step of an independently recurrent network."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w = nn.Linear(input_size, hidden_size)
        self.u = nn.Parameter(0.5 * torch.rand(hidden_size))
        nn.init.constant_(self.w.bias, -1.2)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.relu(self.w(x) + self.u * h)


class IndependentLayer(IndependentStep):
    """The same over time, time first."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        h, outputs = x.new_zeros(x.shape[1], len(self.u)), []
        for x_t in x:
            h = super().forward(x_t, h)
            outputs.append(h)
        return torch.stack(outputs), h


class SimpleLayer(nn.Module):
    """A simple RNN with ReLU, batch first."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w, self.u = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        nn.init.constant_(self.w.bias, -2.0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h, outputs = x.new_zeros(len(x), self.u.in_features), []
        for x_t in x.unbind(1):
            h = torch.relu(self.w(x_t) + self.u(h))
            outputs.append(h)
        return torch.stack(outputs, 1), h


class FromZero(nn.Module):
    """A simple RNN with tanh, batch first, whose weights are all zero until they are trained."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(input_size, hidden_size))
        self.u = nn.Parameter(torch.zeros(hidden_size, hidden_size))
        self.b = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h, outputs = x.new_zeros(len(x), len(self.u)), []
        for x_t in x.unbind(1):
            h = torch.tanh(x_t @ self.w + h @ self.u + self.b)
            outputs.append(h)
        return torch.stack(outputs, 1), h


class RecurrentFromZero(FromZero):
    """The same with drawn input weights."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        nn.init.normal_(self.w)


class SequenceWithState(nn.Module):
    """A simple RNN over time, time first, from a state that is given; its recurrent weights are zero at first."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w, self.u = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        for parameter in self.u.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs = []
        for t in range(x.size(0)):
            h = torch.tanh(self.w(x[t]) + self.u(h))
            outputs.append(h)
        return torch.stack(outputs), h
