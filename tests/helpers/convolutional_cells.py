"""Convolutional cells, right and wrong: their states have channels and axes of space."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvGRUCell(nn.Module):
    """A GRU with convolutions in the place of products; the state may be left out."""

    def __init__(self, input_size: int, hidden_size: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.gates = nn.Conv2d(input_size + hidden_size, 2 * hidden_size, kernel_size, padding=kernel_size // 2)
        self.candidate = nn.Conv2d(input_size + hidden_size, hidden_size, kernel_size, padding=kernel_size // 2)

    def gated(self, h: Tensor, reset: Tensor, update: Tensor) -> Tensor:
        return reset * h

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        if h is None:
            h = x.new_zeros(len(x), self.hidden_size, *x.shape[2:])
        reset, update = torch.sigmoid(self.gates(torch.cat([x, h], 1))).chunk(2, 1)
        candidate = torch.tanh(self.candidate(torch.cat([x, self.gated(h, reset, update)], 1)))
        return (1 - update) * h + update * candidate


class UpdateForReset(ConvGRUCell):
    """Wrong: the update gate in the place of the reset gate."""

    def gated(self, h: Tensor, reset: Tensor, update: Tensor) -> Tensor:
        return update * h


class MixesRowsInSpace(ConvGRUCell):
    """Wrong, where space is more than a point: the rows are rolled along with a column of space."""

    def gated(self, h: Tensor, reset: Tensor, update: Tensor) -> Tensor:
        moved = torch.cat([h[..., :-1], h[..., -1:].roll(1, 0)], -1) if h.shape[-1] > 1 else h
        return reset * moved


class ConvLSTMLayer(nn.Module):
    """A ConvLSTM over sequences (B, T, C, H, W)."""

    def __init__(self, in_channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.hidden_channels = hidden_channels
        self.wx = nn.Conv2d(in_channels, 4 * hidden_channels, 3, padding=1)
        self.wh = nn.Conv2d(hidden_channels, 4 * hidden_channels, 3, padding=1, bias=False)

    def forward(self, clip: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        rows, steps, _, height, width = clip.shape
        h = clip.new_zeros(rows, self.hidden_channels, height, width)
        c, frames = torch.zeros_like(h), []
        for t in range(steps):
            i, f, g, o = (self.wx(clip[:, t]) + self.wh(h)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            frames.append(h)
        return torch.stack(frames, 1), (h, c)
