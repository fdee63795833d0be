"""Torch cells with three states that go in, and come back, by names: as keys, keyword arguments and fields."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

SPEC = r"""
id = "three"
title = "Three states"
inputs = { x = "n" }
states = { h = "d", c = "d", s = "d" }
parameters = { W = "d n", U = "d d", V = "d d", b = "d" }
[[equations]]
id = "T-1"
printed = 'c_t = \sigma(V h_{t-1} + b) \odot c_{t-1} + \tanh(W x_t + U h_{t-1})'
[[equations]]
id = "T-2"
printed = 's_t = \sigma(b) \odot s_{t-1} + c_t'
[[equations]]
id = "T-3"
printed = 'h_t = \tanh(c_t + s_t)'
"""


class ThreeStates(nn.Module):
    """What all of them compute."""

    reads_old_cell = False

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.into = nn.Linear(input_size, hidden_size, bias=False)
        self.again = nn.Linear(hidden_size, hidden_size, bias=False)
        self.forget = nn.Linear(hidden_size, hidden_size)

    def step(self, x: Tensor, h: Tensor, c: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        c_new = torch.sigmoid(self.forget(h)) * c + torch.tanh(self.into(x) + self.again(h))
        s_new = torch.sigmoid(self.forget.bias) * s + (c if self.reads_old_cell else c_new)
        return torch.tanh(c_new + s_new), c_new, s_new


class InADictionary(ThreeStates):
    """Its states go in as keys, and come back as those in another order, behind one of them."""

    def forward(self, x: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        h, c, s = self.step(x, state["h"], state["c"], state["s"])
        return h, {"s": s, "h": h, "c": c}


class Unpacked(ThreeStates):
    """What keys its states have is nowhere in its forward."""

    def forward(self, x: Tensor, state: dict[str, Tensor]) -> dict[str, Tensor]:
        return dict(zip(("h", "c", "s"), self.step(x, **state), strict=True))


class ByKeyword(ThreeStates):
    """Its states are keyword arguments."""

    def forward(self, x: Tensor, *, s: Tensor, c: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h, c, s = self.step(x, h, c, s)
        return s, c, h


class Fields(NamedTuple):
    """States by name."""

    s: Tensor
    h: Tensor
    c: Tensor


class AsFields(ThreeStates):
    """Its states are the fields of a named tuple."""

    def forward(self, x: Tensor, state: Fields) -> Fields:
        h, c, s = self.step(x, state.h, state.c, state.s)
        return Fields(s, h, c)


class BackInAnotherOrder(ThreeStates):
    """Whoever calls it names its states, so that the order in which they come back is a way of calling."""

    def forward(self, x: Tensor, h: Tensor, c: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h_new, c_new, s_new = self.step(x, h, c, s)
        return s_new, c_new, h_new


class ExchangedFields(ThreeStates):
    """Its fields are filled in the order of another tuple."""

    def forward(self, x: Tensor, state: Fields) -> Fields:
        return Fields(*self.step(x, state.h, state.c, state.s))


class WrongInADictionary(InADictionary):
    reads_old_cell = True


class WrongByKeyword(ByKeyword):
    reads_old_cell = True


class WrongAsFields(AsFields):
    reads_old_cell = True


class NamedAsTheEquations(nn.Module):
    """Its parameters have the names of the equations, its states another order; one of them is read too early."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(hidden_size, input_size) / 2)
        self.U = nn.Parameter(torch.randn(hidden_size, hidden_size) / 2)
        self.V = nn.Parameter(torch.randn(hidden_size, hidden_size) / 2)
        self.b = nn.Parameter(torch.randn(hidden_size) / 2)

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        s, h, c = states
        c_new = torch.sigmoid(h @ self.V.T + self.b) * c + torch.tanh(x @ self.W.T + h @ self.U.T)
        s = torch.sigmoid(self.b) * s + c
        return s, torch.tanh(c_new + s), c_new
