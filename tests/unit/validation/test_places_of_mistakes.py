"""Mistakes that could stand in two places, that bring a bias of their own, or that show with no weight at all."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnn_harness.array_types import Array
from rnn_harness.specs import literature
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.spec_file import spec_file_candidate
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch
from tests.helpers.faulty_literature import ComplementOnATerm


class OneRecurrentMatrix(nn.Module):
    """UGRNN: its gate reads the state through the candidate's matrix."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, 2 * hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        c, g = (self.x(x) + self.h(h).repeat(1, 2)).chunk(2, 1)
        g = torch.sigmoid(g)
        return g * h + (1 - g) * torch.tanh(c)


class ContentWithBias(ComplementOnATerm):
    """RAN: its content has a bias, zero in the beginning."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.content = nn.Linear(input_size, hidden_size)
        nn.init.zeros_(self.content.bias)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f = torch.sigmoid(self.both(torch.cat([x, h], 1))).chunk(2, 1)
        c = i * self.content(x) + f * c
        return torch.tanh(c), c


class GateWithoutGradient(nn.Module):
    """GILR: its gate is computed without a gradient."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gate, self.impulse = nn.Linear(input_size, hidden_size), nn.Linear(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        with torch.no_grad():
            g = torch.sigmoid(self.gate(x))
        return g * h + (1 - g) * torch.tanh(self.impulse(x))


class Normalised(nn.Module):
    """sLSTM: its normaliser adds one and not the input gate."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, 4 * hidden_size), nn.Linear(hidden_size, 4 * hidden_size, bias=False)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        h, c, n, m = state
        i, f, z, o = (self.x(x) + self.h(h)).chunk(4, 1)
        f = nn.functional.logsigmoid(f) + m
        m = torch.maximum(f, i)
        i, f = torch.exp(i - m), torch.exp(f - m)
        c, n = f * c + i * torch.tanh(z), f * n + 1
        return torch.sigmoid(o) * c / n, c, n, m


class Legendre:
    """LMU in NumPy: pieces of one row and of one column."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(0)
        self.a, self.b = rng.normal(size=(hidden_size, hidden_size)), rng.normal(size=(hidden_size, 1))
        self.enc_x, self.enc_h = rng.normal(size=(1, input_size)), rng.normal(size=(1, hidden_size))
        self.enc_m = rng.normal(size=(1, hidden_size))
        self.ker_x, self.ker_h = rng.normal(size=(hidden_size, input_size)), rng.normal(size=(hidden_size, hidden_size))
        self.ker_m = rng.normal(size=(hidden_size, hidden_size))

    def forward(self, x: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        h, m = state
        u = x @ self.enc_x.T + h @ self.enc_h.T + m @ self.enc_m.T
        m = m @ self.a.T + u @ self.b.T
        return np.tanh(x @ self.ker_x.T + h @ self.ker_h.T + m @ self.ker_m.T), m


@pytest.mark.parametrize(
    ("cell", "name", "part", "words"),
    [
        (
            OneRecurrentMatrix,
            "ugrnn",
            "forward: ugrnn-1, ugrnn-2",
            "U_g stands where U_c should, or U_c where U_g should",
        ),
        (ContentWithBias, "ran", "forward: ran-1", "a bias is added in c_tilde"),
        pytest.param(
            Normalised,
            "slstm",
            "forward: slstm-9",
            "1 stands where i_hat should",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_rewritten_equations.py::"
                "test_the_expression_is_rewritten_as_the_sentence_says"
            ),
        ),
    ],
)
def test_the_mistake_is_named_with_all_its_places(cell: type[nn.Module], name: str, part: str, words: str) -> None:
    spec = next(spec for spec in literature() if spec.id == name)
    found = faulty_match(TargetSearch(probe_target(target_of("cell", cell))), spec)
    assert found is not None
    assert found.diagnosis().part == part
    assert words in found.diagnosis().difference


def test_a_gate_without_gradient_is_named_with_the_equation_that_gives_it() -> None:
    spec = next(spec for spec in literature() if spec.id == "gilr")
    diagnosis = spec_file_candidate(target_of("cell", GateWithoutGradient), spec, ("float64",)).diagnosis()
    assert diagnosis is not None
    assert diagnosis.part == "backward: gilr-1, gilr-3"
    assert "no gradient flows through g anywhere" in diagnosis.difference


def test_a_bias_that_the_spec_does_not_have_is_no_zero_where_the_cell_is_judged() -> None:
    spec = next(spec for spec in literature() if spec.id == "ran")
    found = faulty_match(TargetSearch(probe_target(target_of("cell", ContentWithBias))), spec)
    assert found is not None
    shapes = {"n": 3, "d": 2}
    parameters = {
        parameter.name: np.zeros([axis.size(shapes) for axis in parameter.shape])
        for parameter in spec.program().parameters
    }
    packed = found.table.pack(parameters)
    assert all(value.any() == (name == "content.bias") for name, value in packed.items())
    assert set(found.table.unpack(packed, {name: value.shape for name, value in parameters.items()})) == set(parameters)


def test_matrices_of_one_row_and_of_one_column_are_told_from_vectors() -> None:
    spec = next(spec for spec in literature() if spec.id == "lmu")
    target = target_of("cell", Legendre)
    assert spec_file_candidate(target, spec, ("float64",)).match is not None


def test_a_right_cell_has_no_bias_more_than_its_spec() -> None:
    class Right(ComplementOnATerm):
        def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            h, c = state
            i, f = torch.sigmoid(self.both(torch.cat([x, h], 1))).chunk(2, 1)
            c = i * self.content(x) + f * c
            return torch.tanh(c), c

    spec = next(spec for spec in literature() if spec.id == "ran")
    found = faulty_match(TargetSearch(probe_target(target_of("cell", Right))), spec)
    assert found is None or "bias" not in found.diagnosis().difference
