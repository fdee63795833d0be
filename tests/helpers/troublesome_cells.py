"""Cells that trouble the process in which they are tried."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import torch


class Right(torch.nn.GRUCell):
    """Does what it should."""


class RightRNN(torch.nn.RNNCell):
    """Does what it should, with one gate: it is identified and judged sooner."""


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


class OpensNoMoreFiles(Right):
    """Limits the files that its process may open to those that are open."""

    def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> torch.Tensor:
        resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
        return super().forward(x, h)


class LeavesOnce(RightRNN):
    """Ends the process the first time that it is judged on float64 rows; the file next to it remembers that."""

    def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> torch.Tensor:
        marker = Path(os.environ["RNN_HARNESS_TEST_MARKER"])
        if x.dtype == torch.float64 and len(x) == 1 and not marker.exists():
            marker.touch()
            os._exit(7)
        return super().forward(x, h)


class WantsRowsInOrder(RightRNN):
    """Refuses what it need not take: no rows, and rows that do not lie next to each other in memory."""

    def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> torch.Tensor:
        if not len(x) or not x.is_contiguous():
            raise ValueError("expected rows, one after the other")
        return super().forward(x, h)


class RaisesForOneRow(RightRNN):
    """Raises an error for what it must take."""

    def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> torch.Tensor:
        if len(x) == 1:
            raise IndexError("no second row")
        return super().forward(x, h)


class Slow(Right):
    """Takes its time for every call, and always comes back."""

    def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> torch.Tensor:
        if x.dtype == torch.float64 and len(x) == 1:
            began = time.process_time()
            while time.process_time() < began + 0.3:
                pass
        return super().forward(x, h)
