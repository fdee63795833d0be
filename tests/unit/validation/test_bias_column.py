"""The column of a matrix that multiplies a one is a bias, whether the one stands before the operands or behind them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import rnn_harness


class ReservoirWithOneBefore(nn.Module):
    """Its input weights multiply [1, u]."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w_in = nn.Parameter(torch.rand(hidden_size, 1 + input_size) - 0.5)
        self.w = nn.Parameter(0.3 * torch.randn(hidden_size, hidden_size))

    def joined(self, u: Tensor) -> Tensor:
        return torch.cat([torch.ones_like(u[:, :1]), u], -1)

    def forward(self, u: Tensor, x: Tensor) -> Tensor:
        return 0.7 * x + 0.3 * torch.tanh(self.joined(u) @ self.w_in.T + x @ self.w.T)


class ReservoirWithOneBehind(ReservoirWithOneBefore):
    """Its input weights multiply [u, 1]."""

    def joined(self, u: Tensor) -> Tensor:
        return torch.cat([u, torch.ones_like(u[:, :1])], -1)


class BiasOutside(ReservoirWithOneBefore):
    """The bias is added behind tanh."""

    def forward(self, u: Tensor, x: Tensor) -> Tensor:
        return 0.7 * x + 0.3 * (torch.tanh(u @ self.w_in[:, 1:].T + x @ self.w.T) + self.w_in[:, 0])


@pytest.mark.parametrize(("cell", "order"), [(ReservoirWithOneBefore, "b W"), (ReservoirWithOneBehind, "W b")])
def test_a_reservoir_with_its_bias_among_its_input_weights_is_known(cell: type[nn.Module], order: str) -> None:
    validation = rnn_harness.validate(cell, examples=0, dtypes=("float64",))
    assert (validation.outcome, validation.spec) == ("agrees", "esn.leaky")
    assert validation.identification is not None
    assert f"w_in = {order}" in validation.identification.sentence


def test_its_bias_behind_tanh_is_named() -> None:
    validation = rnn_harness.validate(BiasOutside, "esn.leaky", examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "b is added behind tanh" in validation.diagnosis.difference
