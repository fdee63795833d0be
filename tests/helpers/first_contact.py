"""What people try first: vectors, an object that is made already, cells that do not run as they should."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnn_harness.array_types import Array


def rnn_vector(x: Array, h: Array, W: Array, U: Array, b: Array) -> Array:
    """An RNN of one row at a time, as in a lecture."""
    return np.tanh(W @ x + U @ h + b)


def make_vector(n: int, d: int) -> dict[str, Array]:
    rng = np.random.default_rng(0)
    return {"W": rng.standard_normal((d, n)), "U": rng.standard_normal((d, d)), "b": rng.standard_normal(d)}


class FusedLSTM(nn.Module):
    """An LSTM that does not state its input size. Gates o, g, i, f."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> Any:
        h, c = state
        o, g, i, f = self.gates(torch.cat([x, h], -1)).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, (h, c)


MADE = FusedLSTM(7, 4)


class DetachedLSTM(FusedLSTM):
    """An LSTM that is right forward; nothing flows back through the states."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> Any:
        return super().forward(x, (state[0].detach(), state[1].detach()))


class LazyRNN(nn.Module):
    """A cell that reads a lazy weight, which has no shape then."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.LazyLinear(hidden_size), nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(x @ self.x.weight.T + self.h(h))


class LongOnly(nn.Module):
    """A layer for which a sequence of one step is too short."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner = nn.RNN(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Any:
        if len(x) == 1:
            raise IndexError("list index out of range")
        outputs, last = self.inner(x, h[None])
        return outputs, last[0]


class Exits(nn.RNNCell):
    def forward(self, *_: Any) -> Tensor:
        sys.exit(0)


class Prints(nn.RNNCell):
    def forward(self, *arguments: Any) -> Tensor:
        print("hello", arguments[0].shape)
        return super().forward(*arguments)


class Overwrites(nn.RNNCell):
    """An RNN with right numbers, written over the state."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        assert h is not None
        return h.copy_(super().forward(x, h))


def overwriting(x: Array, h: Array, W: Array, U: Array, b: Array) -> Array:
    h[...] = np.tanh(W @ x + U @ h + b)
    return h
