"""Inputs of any size: whoever computes what is printed may do so, and who computes it otherwise stays finite."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import rnn_harness
from rnn_harness.kernels import judge
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

CHECK = "behaviour.large-inputs"


class MinimalLSTM(nn.Module):
    """Divides the forget and the input gate by their sum, which vanishes where both do."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gates = nn.Linear(input_size, 3 * hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        forget, write, candidate = self.gates(x).chunk(3, -1)
        forget, write = forget.sigmoid(), write.sigmoid()
        return forget / (forget + write) * h + write / (forget + write) * candidate


def _overflowing_sigmoid(x: Tensor) -> Tensor:
    return torch.exp(x) / (1 + torch.exp(x))


class OverflowingGRU(nn.GRUCell):
    """Computes its sigmoid as a quotient of exponentials: NaN beyond 709."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        assert h is not None
        of_input, of_state = x @ self.weight_ih.T + self.bias_ih, h @ self.weight_hh.T + self.bias_hh
        (xr, xz, xn), (hr, hz, hn) = of_input.chunk(3, -1), of_state.chunk(3, -1)
        z = _overflowing_sigmoid(xz + hz)
        return (1 - z) * torch.tanh(xn + torch.sigmoid(xr + hr) * hn) + z * h


def _record(cell: type[nn.Module], monkeypatch: pytest.MonkeyPatch) -> Record:
    checks = tuple(check for check in judge.kernel_checks() if check.name == CHECK)
    monkeypatch.setattr(judge, "kernel_checks", lambda: checks)
    validation = rnn_harness.validate(cell, examples=0, dtypes=("float64",))
    (record,) = [record for record in validation.checks if record.check == CHECK]
    return record


def test_where_the_printed_equations_are_not_finite_nothing_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    record = _record(MinimalLSTM, monkeypatch)
    assert record.outcome is Outcome.NOT_RUN
    assert "computed in float64 as they are printed, have no finite values" in record.reason


def test_where_they_are_finite_a_cell_that_is_not_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    record = _record(OverflowingGRU, monkeypatch)
    assert record.outcome is Outcome.REFUTED
    assert "not finite" in record.reason
