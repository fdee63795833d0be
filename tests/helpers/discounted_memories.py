"""LSTMs that discount their memory by the time between steps: at time steps of 1 they add what they subtract."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class DiscountsByIntervals(nn.Module):
    """It is given the time between steps, by which the short part of its memory is multiplied."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.W_all = nn.Linear(hidden_size, hidden_size * 4)
        self.U_all = nn.Linear(input_size, hidden_size * 4)
        self.W_d = nn.Linear(hidden_size, hidden_size)

    def short_part(self, c: Tensor) -> Tensor:
        return torch.tanh(self.W_d(c))

    def discounts(self, timestamps: Tensor) -> Tensor:
        return timestamps

    def start(self, inputs: Tensor) -> Tensor:
        return inputs.new_zeros(len(inputs), self.hidden_size)

    def forward(
        self, inputs: Tensor, timestamps: Tensor, hidden_states: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        zeros = self.start(inputs)
        h, c = hidden_states or (zeros, zeros)
        discounts, outputs = self.discounts(timestamps), []
        for step in range(inputs.shape[1]):
            short = self.short_part(c)
            adjusted = c - short + short * discounts[:, step : step + 1]
            f, i, o, g = (self.W_all(h) + self.U_all(inputs[:, step])).chunk(4, 1)
            c = torch.sigmoid(f) * adjusted + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs, 1), (h, c)


class DiscountsByTimes(nn.Module):
    """It is given the times themselves, and takes differences; it computes in float32 alone."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.layer = DiscountsByIntervals(input_size, hidden_size)

    def forward(self, inputs: Tensor, timestamps: Tensor) -> Tensor:
        gaps = torch.cat([torch.zeros_like(timestamps[:, :1]), timestamps.diff(dim=1)], 1).clamp(min=1e-6)
        zeros = torch.zeros(len(inputs), self.hidden_size)
        outputs, _ = self.layer(inputs, 1 / torch.log(math.e + gaps), (zeros, zeros))
        return outputs


class DiscountsWithoutGradient(DiscountsByIntervals):
    """Wrong: no gradient comes through the long part of its memory, nor through the short one."""

    def forward(
        self, inputs: Tensor, timestamps: Tensor, hidden_states: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        zeros = self.start(inputs)
        h, c = hidden_states or (zeros, zeros)
        return super().forward(inputs, timestamps, (h, c.detach()))


class ForgetsItsDiscount(DiscountsByIntervals):
    """An LSTM with weights that it never uses, whatever the time between steps is."""

    def discounts(self, timestamps: Tensor) -> Tensor:
        return torch.ones_like(timestamps)

    def short_part(self, c: Tensor) -> Tensor:
        return torch.zeros_like(c)


class StepsByTime(nn.Module):
    """A step of Euler's, as long as the time that it is given for each row."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def kept(self, h: Tensor) -> Tensor:
        return h

    def forward(self, t: Tensor, x: Tensor, h: Tensor) -> Tensor:
        return self.kept(h) + t[:, None] * torch.tanh(self.x(x) + self.h(h))


class StepsByTimeDetached(StepsByTime):
    """Wrong: no gradient comes through the state that it keeps."""

    def kept(self, h: Tensor) -> Tensor:
        return h.detach()
