"""With ``--spec`` a mistake is named that stands beside a number near 1."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import rnn_harness


class CooledMinGRU(nn.Module):
    """A minimal GRU with a temperature, whose old state is not multiplied by 1 - z."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.both = nn.Linear(input_size, 2 * hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        candidate, gate = self.both(x).chunk(2, -1)
        return h + torch.sigmoid(gate / 1.0005) * candidate


class CooledGRU(nn.Module):
    """A GRU with a temperature that mixes the reset state, and not the state, with the candidate."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 2 * hidden_size)
        self.candidate = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z, r = torch.sigmoid(self.gates(torch.cat([x, h], -1)) / 1.0005).chunk(2, -1)
        return z * r * h + (1 - z) * torch.tanh(self.candidate(torch.cat([x, r * h], -1)))


def test_a_mistake_beside_a_temperature_is_refuted_and_named() -> None:
    validation = rnn_harness.validate(CooledMinGRU, "mingru", examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert (validation.diagnosis.part, "1 - z" in validation.diagnosis.difference) == ("forward: mingru-3", True)


@pytest.mark.deep(
    "tests/unit/validation/test_mistake_beside_number.py::test_a_mistake_beside_a_temperature_is_refuted_and_named"
)
def test_a_mistake_of_a_gru_beside_a_temperature_is_refuted_and_named() -> None:
    validation = rnn_harness.validate(CooledGRU, "gru.keep.column", examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "the reset state is kept in the place of the state" in validation.diagnosis.difference
