"""Names that mean something in our references (W_y, b_y, W_x, b_hg) are any names in a user's spec or cell."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import rnn_harness

PAPER = """
id = "reserved"
title = "A cell whose names are those of an output layer, of input weights and of a recurrent bias"
inputs = { x = "n" }
states = { y = "d" }
outputs = ["y"]
parameters = { W_y = "d d", W_h = "d n", W_x = "d d", b_y = "d", b_hg = "d" }

[[equations]]
id = "F-001"
line = 1
printed = 'g_t = \\sigma(W_x y_{t-1} + b_{hg})'

[[equations]]
id = "F-002"
line = 2
printed = 'y_t = g_t \\odot \\tanh(W_h x_t + W_y y_{t-1} + b_y)'
"""


class Reserved(nn.Module):
    """As the paper says."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W_h = nn.Parameter(torch.randn(hidden_size, input_size))
        self.W_y = nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.W_x = nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.b_y = nn.Parameter(torch.zeros(hidden_size))
        self.b_hg = nn.Parameter(torch.zeros(hidden_size))

    def candidate(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.tanh(x @ self.W_h.T + y @ self.W_y.T + self.b_y)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.sigmoid(y @ self.W_x.T + self.b_hg) * self.candidate(x, y)


class Wrong(Reserved):
    """The bias of the candidate stands outside of tanh."""

    def candidate(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.tanh(x @ self.W_h.T + y @ self.W_y.T) + self.b_y


class ElmanOfReservedNames(nn.Module):
    """A simple RNN whose weights have the names of an output layer."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W_y = nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.W = nn.Parameter(torch.randn(hidden_size, input_size))
        self.b_y = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(x @ self.W.T + h @ self.W_y.T + self.b_y)


@pytest.fixture
def paper(tmp_path: Path) -> str:
    path = tmp_path / "reserved.toml"
    path.write_text(PAPER, encoding="utf-8")
    return str(path)


def test_a_spec_may_name_its_parameters_as_our_references_do(paper: str) -> None:
    validation = rnn_harness.validate(Reserved, paper, examples=0, dtypes=("float64",))
    assert validation.outcome == "agrees"
    by_check = {record.check: record.outcome for record in validation.checks}
    assert by_check["behaviour.gradgrad"] == "agrees"


def test_a_counterexample_of_such_a_spec_is_made_as_small_as_any(paper: str) -> None:
    validation = rnn_harness.validate(Wrong, paper, examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.counterexample is not None
    assert validation.counterexample.sizes == {"n": 1, "d": 1, "T": 1, "B": 1}


def test_a_cell_may_name_its_weights_as_an_output_layer_does() -> None:
    validation = rnn_harness.validate(ElmanOfReservedNames, examples=0, dtypes=("float64",))
    by_check = {record.check: record.outcome for record in validation.checks}
    assert (validation.outcome, validation.spec) == ("agrees", "rnn.tanh")
    assert by_check["behaviour.gradgrad"] == "agrees"
