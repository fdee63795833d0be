"""A cell with layer normalisation of a spec file: the right one agrees, the one without it is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import rnn_harness

NORMALISED = """
id = "normalised"
title = "tanh RNN with layer normalisation (arXiv 1607.06450, equation 4)"
inputs = { x = "n" }
states = { h = "d" }
parameters = { W = "d n", U = "d d", g = "d", b = "d" }

[[equations]]
id = "L-1"
line = 1
printed = 'h_t = \\\\tanh(\\\\operatorname{LN}(W x_t + U h_{t-1}; g, b))'
""".replace("\\\\", "\\")


class Right(nn.Module):
    """As the equation says, with other names."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.first = nn.Linear(input_size, hidden_size, bias=False)
        self.second = nn.Linear(hidden_size, hidden_size, bias=False)
        self.norm = nn.LayerNorm(hidden_size)

    def normalised(self, a: Tensor) -> Tensor:
        return self.norm(a)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.normalised(self.first(x) + self.second(h)))


class Wrong(Right):
    """The numbers are not normalised, only scaled and shifted."""

    def normalised(self, a: Tensor) -> Tensor:
        return a * self.norm.weight + self.norm.bias


@pytest.mark.parametrize(("cell", "verdict"), [(Right, "agrees"), (Wrong, "refuted")])
def test_layer_normalisation_is_judged_and_its_absence_is_named(
    tmp_path: Path, cell: type[nn.Module], verdict: str
) -> None:
    path = tmp_path / "normalised.toml"
    path.write_text(NORMALISED, encoding="utf-8")
    validation = rnn_harness.validate(cell, str(path), examples=0, dtypes=("float64",))
    assert validation.outcome == verdict
    if verdict == "refuted":
        assert validation.diagnosis is not None
        assert validation.diagnosis.part == "forward: L-1"
        assert "is not normalised" in validation.diagnosis.difference
