"""Models of which one recurrent layer is converted, or that are nothing but one layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TwoKinds(nn.Module):
    """A GRU, an LSTM of it, and a head."""

    def __init__(self, input_size: int = 5, hidden_size: int = 4) -> None:
        super().__init__()
        self.first = nn.GRU(input_size, hidden_size, batch_first=True)
        self.second = nn.LSTM(hidden_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.first(x)[0])[0])


class Wrapped(nn.Module):
    """One LSTM, whose outputs are clipped below."""

    def __init__(self, input_size: int = 5, hidden_size: int = 4) -> None:
        super().__init__()
        self.rnn = nn.LSTM(input_size, hidden_size, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.rnn(x)[0])


class StartsElsewhere(nn.Module):
    """One GRU that begins with a state that is not zero."""

    def __init__(self, input_size: int = 5, hidden_size: int = 4) -> None:
        super().__init__()
        self.rnn = nn.GRU(input_size, hidden_size, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        start = torch.full((1, len(x), self.rnn.hidden_size), 0.5, dtype=x.dtype)
        return torch.relu(self.rnn(x, start)[0])
