"""Models of series with gaps, which are given what was measured beside the values."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Series(nn.Module):
    """The last value stands for a missing one.

    values and observed are (B, T, D), with observed 1 = measured and 0 = missing.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell, self.hidden_size = nn.GRUCell(2 * input_size, hidden_size), hidden_size
        self.decay = nn.Linear(input_size, hidden_size)

    def imputed(self, x: Tensor, m: Tensor, last: Tensor) -> Tensor:
        return m * x + (1 - m) * last

    def forward(self, values: Tensor, observed: Tensor) -> Tensor:
        h, last, outputs = values.new_zeros(len(values), self.hidden_size), torch.zeros_like(values[:, 0]), []
        for x, m in zip(values.unbind(1), observed.unbind(1), strict=True):
            decayed = h * torch.sigmoid(self.decay(m))
            h = self.cell(torch.cat([self.imputed(x, m, last), m], -1), decayed)
            last = m * x + (1 - m) * last
            outputs.append(h)
        return torch.stack(outputs, 1)


class SeriesTurnedAround(Series):
    """Wrong: the last value stands for a measured one.

    values and observed are (B, T, D), with observed 1 = measured and 0 = missing.
    """

    def imputed(self, x: Tensor, m: Tensor, last: Tensor) -> Tensor:
        return m * last + (1 - m) * x


class RawSeries(Series):
    """The cell reads all values, and beside them what was measured.

    values and observed are (B, T, D), with observed 1 = measured and 0 = missing.
    """

    def imputed(self, x: Tensor, m: Tensor, last: Tensor) -> Tensor:
        return x
