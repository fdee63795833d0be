"""Cells that write into the states that they are given."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ClearsWhereDone(nn.Module):
    """Right: it clears the state of rows that are done, and writes nothing where none is."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor, done: Tensor | None = None) -> Tensor:
        done = torch.zeros(len(x), dtype=torch.bool) if done is None else done
        h[done] = 0.0
        return self.cell(x, h)


class ClearsInALayer(nn.GRU):
    """Right: the same in a loop over the steps of a sequence."""

    def forward(self, x: Tensor, hx: Tensor, dones: Tensor | None = None) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        dones = torch.zeros(x.shape[:2], dtype=torch.bool) if dones is None else dones
        outputs = []
        for step in range(len(x)):
            hx[:, dones[step]] = 0.0
            output, hx = super().forward(x[step : step + 1], hx)
            outputs.append(output)
        return torch.cat(outputs), hx


class Halves(nn.Module):
    """Wrong: it halves the state of its caller."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        h *= 0.5
        return self.cell(x, h)
