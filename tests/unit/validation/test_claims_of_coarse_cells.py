"""A cell that computes coarsely is not said to have a mistake that it does not have, whatever it is claimed to be."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import rnn_harness


class IntegerWeightsGRU(nn.Module):
    """A GRU with weights of 8 bits, whose gradient is that of the weights they are rounded from."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(input_size, hidden_size)

    def rounded(self, weight: Tensor) -> Tensor:
        step = weight.detach().abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
        return ((weight / step).round() * step - weight).detach() + weight

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        cell = self.cell
        x_r, x_z, x_n = nn.functional.linear(x, self.rounded(cell.weight_ih), cell.bias_ih).chunk(3, 1)
        h_r, h_z, h_n = nn.functional.linear(h, self.rounded(cell.weight_hh), cell.bias_hh).chunk(3, 1)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        return (1 - z) * torch.tanh(x_n + r * h_n) + z * h


@pytest.mark.deep("tests/unit/validation/test_near_match.py::test_coarse_weights_products_and_functions_lose_precision")
def test_weights_of_eight_bits_are_given_no_mistake_of_the_cell_that_is_claimed() -> None:
    validation = rnn_harness.validate(IntegerWeightsGRU, "gru.reset_after", examples=0, dtypes=("float64",))
    assert validation.outcome == "consistent", validation.diagnosis


class IntegerWeightsRNN(nn.Module):
    """A simple RNN with weights of 8 bits."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.RNNCell(input_size, hidden_size)

    def rounded(self, weight: Tensor) -> Tensor:
        step = weight.detach().abs().max().clamp(min=1e-12) / 127
        return ((weight / step).round() * step - weight).detach() + weight

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        cell = self.cell
        fed = nn.functional.linear(x, self.rounded(cell.weight_ih), cell.bias_ih)
        return torch.tanh(fed + nn.functional.linear(h, self.rounded(cell.weight_hh), cell.bias_hh))


class NarrowInsideRNN(nn.Module):
    """A simple RNN whose products are rounded to bfloat16."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        total = self.x2h(x) + self.h2h(h)
        return torch.tanh(total + (total.to(torch.bfloat16).to(total.dtype) - total).detach())


class NarrowInsideSigmoid(NarrowInsideRNN):
    """A simple RNN with sigmoid for tanh whose products are rounded to bfloat16."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        total = self.x2h(x) + self.h2h(h)
        return torch.sigmoid(total + (total.to(torch.bfloat16).to(total.dtype) - total).detach())


class IntegerWeightsRelu(IntegerWeightsRNN):
    """A simple RNN with ReLU for tanh and weights of 8 bits."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        cell = self.cell
        fed = nn.functional.linear(x, self.rounded(cell.weight_ih), cell.bias_ih)
        return torch.relu(fed + nn.functional.linear(h, self.rounded(cell.weight_hh), cell.bias_hh))


class NarrowInsideHalf(NarrowInsideRNN):
    """A simple RNN that takes half of its recurrent product, rounded to bfloat16."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        total = self.x2h(x) + 0.5 * self.h2h(h)
        return torch.tanh(total + (total.to(torch.bfloat16).to(total.dtype) - total).detach())


IN_DEEP = pytest.mark.deep(
    "tests/unit/validation/test_coarse_arithmetic.py::test_the_rounding_of_a_cell_is_measured_up_to_the_margins"
)


@pytest.mark.parametrize("cell", [pytest.param(IntegerWeightsRNN, marks=IN_DEEP), NarrowInsideRNN])
def test_what_may_be_rounding_refutes_no_claim(cell: type[nn.Module]) -> None:
    validation = rnn_harness.validate(cell, "rnn.tanh", examples=0, dtypes=("float64",))
    assert validation.outcome in ("consistent", "undecided"), validation.diagnosis
    assert "may be its rounding" in str(validation)


@pytest.mark.parametrize(
    ("cell", "difference"),
    [
        (NarrowInsideSigmoid, "the state has sigmoid in the place of tanh"),
        pytest.param(IntegerWeightsRelu, "the state has ReLU in the place of tanh", marks=IN_DEEP),
        (NarrowInsideHalf, "it differs as soon as the recurrent weights of the state are not zero"),
    ],
)
def test_what_rounding_does_not_explain_is_refuted(cell: type[nn.Module], difference: str) -> None:
    validation = rnn_harness.validate(cell, "rnn.tanh", examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert validation.diagnosis.difference.startswith(f"{difference}, by more than its coarse arithmetic rounds")
