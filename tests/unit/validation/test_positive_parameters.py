"""A variance that is drawn negative gives NaN, and no cell is refuted for that; other NaN is refuted as before."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import rnn_harness

Array = NDArray[np.float64]


class StandardisedSteps:
    """Columns: its inputs are standardised by running means and variances that it keeps as arrays."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(1)
        self.Wx = rng.standard_normal((hidden_size, input_size))
        self.Wh = 0.5 * rng.standard_normal((hidden_size, hidden_size))
        self.b = np.zeros((hidden_size, 1))
        self.mean = rng.standard_normal((input_size, 1))
        self.var = rng.uniform(0.5, 1.5, (input_size, 1))

    def forward(self, x: Array, h: Array) -> Array:
        standardised = (x - self.mean) / np.sqrt(self.var + 1e-5)
        return np.tanh(self.Wx @ standardised + self.Wh @ h + self.b)


class RootScaled(nn.Module):
    """The root of a positive parameter scales its state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.i2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size)
        self.power = nn.Parameter(torch.rand(hidden_size) + 0.5)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.i2h(x) + self.h2h(h)) * self.power.sqrt()


class RootOfState(RootScaled):
    """It takes the root of its state, which is negative as often as not."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return super().forward(x, h.sqrt())


@pytest.mark.parametrize(("cell", "name"), [(StandardisedSteps, "var"), (RootScaled, "power")])
def test_a_parameter_that_is_positive_by_what_it_is_stays_so(cell: type, name: str) -> None:
    validation = rnn_harness.validate(cell, examples=0, dtypes=("float64",))
    assert validation.outcome == "consistent", [r.reason for r in validation.checks if str(r.outcome) == "refuted"]
    reasons = [check.reason for check in validation.checks if check.check == "identification.unique"]
    assert any(f"{name} is positive as it is made" in reason for reason in reasons)


def test_the_root_of_a_state_is_refuted_for_its_nan() -> None:
    validation = rnn_harness.validate(RootOfState, examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "NaN" in validation.diagnosis.difference
