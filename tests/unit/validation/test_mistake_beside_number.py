"""With ``--spec`` a mistake is named that stands beside a number near 1."""

from __future__ import annotations

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


def test_a_mistake_beside_a_temperature_is_refuted_and_named() -> None:
    validation = rnn_harness.validate(CooledMinGRU, "mingru", examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert (validation.diagnosis.part, "1 - z" in validation.diagnosis.difference) == ("forward: mingru-3", True)
