"""How much a cell rounds inside is measured on the cell itself, and bounds what its rounding may explain."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.specs import library
from rnn_harness.validation.identification.coarse_arithmetic import (
    RoundingInside,
    computes_coarsely,
    may_be_rounding,
    rounding_inside,
)
from rnn_harness.validation.identification.identify import target_layouts
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.identification.spec_model import cell_model_of
from rnn_harness.validation.loading.target import Target, target_of

STEP = 2.0**-6
DEEP = pytest.mark.deep(
    "tests/unit/validation/test_coarse_arithmetic.py::test_where_rounding_hides_everything_anything_may_be_rounding"
)
SEEDS = [0, *(pytest.param(seed, marks=DEEP) for seed in range(1, 5))]


class Elman(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.RNNCell(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        hidden: Tensor = self.cell(x, h)
        return hidden


class FixedPointElman(Elman):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return (super().forward(x, h) / STEP).round() * STEP


class ScaledFixedPointElman(FixedPointElman):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return 0.75 * super().forward(x, h)


class ReluElman(Elman):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        cell = self.cell
        fed = nn.functional.linear(x, cell.weight_ih, cell.bias_ih)
        return torch.relu(fed + nn.functional.linear(h, cell.weight_hh, cell.bias_hh))


class UnguardedIntegerElman(Elman):
    """Its weights are 0/0 where all of them are zero."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        step = self.cell.weight_ih.abs().max() / 127
        weight = (self.cell.weight_ih / step).round() * step
        return torch.tanh(nn.functional.linear(x, weight) + nn.functional.linear(h, self.cell.weight_hh))


def probed(cell: type[nn.Module], seed: int = 0) -> tuple[Target, Probe]:
    target = target_of(cell.__name__, cell)
    return target, probe_target(target, seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rounding_of_a_cell_is_measured_up_to_the_margins(seed: int) -> None:
    rounding = rounding_inside(probed(FixedPointElman, seed)[1])
    assert STEP / 4 <= rounding.size <= 8 * STEP  # four steps, each of which rounds and hands its rounding on


@pytest.mark.parametrize("cell", [Elman, ReluElman])
def test_an_exact_cell_has_no_rounding_to_speak_of_and_a_kink_is_little(cell: type[nn.Module]) -> None:
    _, probe = probed(cell)
    rounding = rounding_inside(probe)
    assert rounding.size < (2.0**-10 if cell is Elman else 2.0**-4) * max(1.0, rounding.largest)
    assert not computes_coarsely(probe)


def may_be(cell: type[nn.Module], seed: int, rounding: RoundingInside | None = None) -> bool:
    target, probe = probed(cell, seed)
    model = cell_model_of(library().spec("rnn.tanh"))
    assert model is not None
    return may_be_rounding(probe, target_layouts(target, probe), model, rounding or rounding_inside(probe))


@pytest.mark.parametrize("seed", SEEDS)
def test_rounding_explains_what_a_right_cell_differs_by_and_not_a_factor(seed: int) -> None:
    assert may_be(FixedPointElman, seed)
    assert not may_be(ScaledFixedPointElman, seed)


def test_where_rounding_hides_everything_anything_may_be_rounding() -> None:
    assert may_be(ScaledFixedPointElman, 0, RoundingInside(0.5, 1.0))


def test_weights_that_are_no_numbers_where_all_are_zero_say_nothing() -> None:
    assert may_be(UnguardedIntegerElman, 0)
