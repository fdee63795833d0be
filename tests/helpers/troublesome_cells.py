"""Cells that trouble the process in which they are tried."""

from __future__ import annotations

import os
import time

import torch


class Right(torch.nn.GRUCell):
    """Does what it should."""


class LeavesAtOnce(Right):
    """Ends the process when it is made, as if all were well."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        os._exit(0)


class Hangs(Right):
    """Never comes back."""

    def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> torch.Tensor:
        while True:
            time.sleep(10)


class WithoutReset(Right):
    """Leaves the reset gate out."""

    def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> torch.Tensor:
        assert h is not None
        ours = x @ self.weight_ih.T + self.bias_ih
        own = h @ self.weight_hh.T + self.bias_hh
        z = torch.sigmoid(ours.chunk(3, -1)[1] + own.chunk(3, -1)[1])
        g = torch.tanh(ours.chunk(3, -1)[2] + own.chunk(3, -1)[2])
        return z * h + (1 - z) * g
