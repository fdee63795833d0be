"""Cells of the literature, written by hand in other layouts than their specs, are identified without a word."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.specs import library, literature
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.spec_search.search import TargetSearch, first_match


class MinimalGated(nn.Module):
    """MGU: both matrices of a kind stacked, two biases."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, 2 * hidden_size), nn.Linear(hidden_size, hidden_size)
        self.candidate = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        candidate, gate = self.x(x).chunk(2, 1)
        f = torch.sigmoid(gate + self.h(h))
        return h + f * (torch.tanh(candidate + self.candidate(f * h)) - h)


class Additive(nn.Module):
    """RAN: input and state joined for the gates, rows of one unit together, the memory first."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(2 * hidden_size, hidden_size + input_size) / 2)
        self.bias = nn.Parameter(torch.randn(2 * hidden_size) / 2)
        self.content = nn.Parameter(torch.randn(input_size, hidden_size) / 2)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        c, h = state
        gates = torch.sigmoid(torch.cat([h, x], 1) @ self.kernel.T + self.bias).unflatten(1, (-1, 2))
        c = gates[..., 0] * (x @ self.content) + gates[..., 1] * c
        return c, torch.tanh(c)


class Independent(nn.Module):
    """IndRNN with tanh, without a bias."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner = nn.Linear(input_size, hidden_size, bias=False)
        self.scale = nn.Parameter(torch.randn(1, hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.inner(x) + h * self.scale)


class WrongMinimalGated(MinimalGated):
    """The forget gate does not reach the candidate."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        candidate, gate = self.x(x).chunk(2, 1)
        f = torch.sigmoid(gate + self.h(h))
        return h + f * (torch.tanh(candidate + self.candidate(h)) - h)


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        (MinimalGated, "mgu"),
        (Additive, "ran"),
        (Independent, "indrnn.tanh"),
        (WrongMinimalGated, None),
        (nn.LSTMCell, None),
    ],
)
def test_a_cell_is_the_spec_whose_equations_it_computes_and_no_other(cell: type[nn.Module], wanted: str | None) -> None:
    shipped = [spec for spec in library().cells if spec.reference is None and not spec.model.layers]
    match = first_match(TargetSearch(probe_target(target_of("cell", cell))), [*shipped, *literature()])
    assert (None if match is None else match.spec.id) == wanted
