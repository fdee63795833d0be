"""Cells of the literature, written by hand in other layouts than their specs, are identified without a word."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.specs import library, literature
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.library_match import library_match
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


class Oscillator(nn.Module):
    """coRNN with another time step, damping and stiffness, weights on [x, z, y]."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.weights = nn.Linear(input_size + 2 * hidden_size, hidden_size)

    def forward(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        z = z + 0.05 * (torch.tanh(self.weights(torch.cat([x, z, y], 1))) - 2.7 * y - 0.3 * z)
        return y + 0.05 * z, z


class WithoutStiffness(Oscillator):
    """coRNN whose restoring term reads the velocity: no stiffness, and twice the damping."""

    def forward(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        z = z + 0.1 * (torch.tanh(self.weights(torch.cat([x, z, y], 1))) - z - z)
        return y + 0.1 * z, z


class BiasedUpdate(nn.Module):
    """UGRNN whose gate begins open: 1 is added to its bias."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.both = nn.Linear(input_size + hidden_size, 2 * hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.both(torch.cat([x, h], 1)).chunk(2, 1)
        g = torch.sigmoid(g + 1.0)
        return g * h + (1 - g) * torch.tanh(c)


class Scaled(nn.Module):
    """FastGRNN: two single numbers, and one matrix for gate and candidate."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w, self.u = nn.Linear(input_size, hidden_size, bias=False), nn.Linear(hidden_size, hidden_size, bias=False)
        self.b = nn.Parameter(torch.randn(2, hidden_size))
        self.nu, self.zeta = nn.Parameter(torch.tensor(-4.0)), nn.Parameter(torch.tensor([1.0]))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        pre = self.w(x) + self.u(h)
        z = torch.sigmoid(pre + self.b[0])
        factor = torch.sigmoid(self.zeta) * (1 - z) + torch.sigmoid(self.nu)
        return factor * torch.tanh(pre + self.b[1]) + z * h


class Multiplicative(nn.Module):
    """Multiplicative LSTM without a bias in its products: three factors show together alone."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.m = nn.Linear(input_size, 4 * hidden_size), nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        self.wx = nn.Linear(input_size, hidden_size, bias=False)
        self.wh = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        o, i, f, g = (self.x(x) + self.m(self.wx(x) * self.wh(h))).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class OddConstant(Oscillator):
    """A constant that nobody would write down: it is no known cell."""

    def forward(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        z = z + 0.05123456789 * (torch.tanh(self.weights(torch.cat([x, z, y], 1))) - 2.7 * y - 0.3 * z)
        return y + 0.05 * z, z


class WrongMinimalGated(MinimalGated):
    """The forget gate does not reach the candidate."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        candidate, gate = self.x(x).chunk(2, 1)
        f = torch.sigmoid(gate + self.h(h))
        return h + f * (torch.tanh(candidate + self.candidate(h)) - h)


class NormalisedLSTM(nn.Module):
    """LSTM with layer normalisation of inputs, states and cell state, each of torch's with a shift of its own."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, 4 * hidden_size, bias=False)
        self.h = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        self.norm_x, self.norm_h = nn.LayerNorm(4 * hidden_size), nn.LayerNorm(4 * hidden_size)
        self.norm_c = nn.LayerNorm(hidden_size)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        f, i, g, o = (self.norm_x(self.x(x)) + self.norm_h(self.h(h))).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(self.norm_c(c)), c


class ResetCandidate(nn.Module):
    """The GRU of Dreamer, with weights on [h, x]."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(hidden_size + input_size, 3 * hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        reset, candidate, update = self.linear(torch.cat([h, x], 1)).chunk(3, 1)
        z = torch.sigmoid(update)
        return z * torch.tanh(torch.sigmoid(reset) * candidate) + (1 - z) * h


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        (MinimalGated, "mgu"),
        (Additive, "ran"),
        (Independent, "indrnn.tanh"),
        (Oscillator, "cornn"),
        (BiasedUpdate, "ugrnn"),
        (Scaled, "fastgrnn"),
        (Multiplicative, "lstm.multiplicative"),
        (ResetCandidate, "gru.dreamer"),
        pytest.param(
            NormalisedLSTM,
            "lstm.layernorm",
            marks=pytest.mark.deep(
                "tests/unit/specs/test_layer_normalised_cells.py::"
                "test_the_equations_are_the_step_with_the_layer_normalisation_of_torch"
            ),
        ),
        (OddConstant, None),
        (WrongMinimalGated, None),
        (nn.LSTMCell, None),
    ],
)
def test_a_cell_is_the_spec_whose_equations_it_computes_and_no_other(cell: type[nn.Module], wanted: str | None) -> None:
    shipped = [spec for spec in library().cells if spec.reference is None and not spec.model.layers]
    match = first_match(TargetSearch(probe_target(target_of("cell", cell))), [*shipped, *literature()])
    assert (None if match is None else match.spec.id) == wanted


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (Oscillator, "tau = 0.05 (0.1 in its spec), gamma = 2.7 (1 in its spec), epsilon = 0.3 (1 in its spec)"),
        (
            WithoutStiffness,
            "tau = 0.1, gamma = 0 (1 in its spec: what it multiplies is missing), epsilon = 2 (1 in its spec)",
        ),
        (BiasedUpdate, r"kappa = 1; g_{t} = \sigma"),
    ],
    ids=["constants other than those of the spec", "a constant of zero", "a constant beside a bias"],
)
def test_the_sentence_names_the_constants(cell: type[nn.Module], words: str) -> None:
    match = first_match(TargetSearch(probe_target(target_of("cell", cell))), literature())
    assert match is not None
    assert words in match.sentence()


class ColumnOfBiases(nn.Module):
    """Sub-LSTM: one matrix on [x, h, 1], whose last column is the bias."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(input_size + hidden_size + 1, 4 * hidden_size) / 2)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        z, i, f, o = torch.sigmoid(torch.cat([x, h, torch.ones_like(x[:, :1])], 1) @ self.kernel).chunk(4, 1)
        c = c * f + (z - i)
        return torch.sigmoid(c) - o, c


class LimitedWeights(nn.Module):
    """IndRNN that keeps its recurrent weights within limits: it is this cell with small weights alone."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner, self.scale = nn.Linear(input_size, hidden_size), nn.Parameter(torch.randn(hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.relu(self.inner(x) + self.scale.clamp(-3.5, 3.5) * h)


class OldCellStateLeftOut(nn.Module):
    """Wrong: an LSTM over a sequence whose forget gate reaches nothing."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size, self.gates = hidden_size, nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        h, steps = x.new_zeros(x.shape[0], self.hidden_size), []
        for x_t in x.unbind(1):
            i, _, g, o = self.gates(torch.cat([x_t, h], 1)).chunk(4, 1)
            h = torch.sigmoid(o) * torch.tanh(torch.sigmoid(i) * torch.tanh(g))
            steps.append(h)
        return torch.stack(steps, 1)


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [(OldCellStateLeftOut, None), (ColumnOfBiases, "sublstm"), (LimitedWeights, None), (Independent, "indrnn.tanh")],
)
def test_a_cell_is_named_where_it_is_that_cell_with_any_weights(cell: type[nn.Module], wanted: str | None) -> None:
    match = library_match(probe_target(target_of("cell", cell)))
    assert (None if match is None else match.spec.id) == wanted


def test_a_search_whose_time_is_over_names_nothing() -> None:
    search = TargetSearch(probe_target(target_of("cell", MinimalGated)))
    mgu = next(spec for spec in literature() if spec.id == "mgu")
    search.deadline = 0.0
    assert search.match_spec(mgu) is None
    search.deadline = float("inf")
    assert search.match_spec(mgu) is not None


class Zoneout(nn.Module):
    """An LSTM as zoneout evaluates it: old states are mixed with the new ones."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(input_size, hidden_size)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = self.cell(x, state)
        return 0.125 * state[0] + 0.875 * h, c


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [(Zoneout, "zeta = 0 (0.5 in its spec: what it multiplies is missing), xi = 0.125 ("), (nn.LSTMCell, None)],
    ids=["zoneout", "LSTM"],
)
def test_a_cell_without_the_terms_of_its_constants_is_another_one(cell: type[nn.Module], sentence: str | None) -> None:
    zoneout = next(spec for spec in literature() if spec.id == "lstm.zoneout")
    match = TargetSearch(probe_target(target_of("cell", cell))).match_spec(zoneout)
    assert (match is None) == (sentence is None)
    assert sentence is None or (match is not None and sentence in match.sentence())
