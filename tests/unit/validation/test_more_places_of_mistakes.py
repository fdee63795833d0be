"""Mistakes of cells that somebody else wrote: parentheses, factors that are left, parts of matrices, normalisations."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.specs import Spec, library, literature
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.own_specs import without_alternatives
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch


class Stacked(nn.Module):
    """All blocks of the input in one parameter, all of the state in another."""

    of_input, of_state = 2, 2

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, self.of_input * hidden_size)
        self.h = nn.Linear(hidden_size, self.of_state * hidden_size, bias=False)

    def blocks(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pre-activations of gate and candidate."""
        both = self.x(x) + self.h(h)
        gate, candidate = both.chunk(2, 1)
        return gate, candidate


class ProductAroundTheGate(Stacked):
    """UGRNN: 1 - g c where (1 - g) c should stand."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.blocks(x, h)
        g = torch.sigmoid(g)
        return g * h + (1 - g * torch.tanh(c))


class ComplementInside(Stacked):
    """UGRNN: the candidate's gate is sigmoid(1 - a)."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.blocks(x, h)
        return torch.sigmoid(g) * h + torch.sigmoid(1 - g) * torch.tanh(c)


class ShareOfTheGate(Stacked):
    """UGRNN: nine tenths of the gate are kept."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.blocks(x, h)
        g = 0.9 * torch.sigmoid(g)
        return g * h + (1 - g) * torch.tanh(c)


class HalfOfTheCandidate(Stacked):
    """UGRNN: half of the candidate is kept."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.blocks(x, h)
        g = torch.sigmoid(g)
        return g * h + (1 - g) * torch.tanh(c) * 0.5


class LimitedGate(Stacked):
    """UGRNN: what goes into its gate is limited to one."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.blocks(x, h)
        g = torch.sigmoid(g.clamp(-1, 1))
        return g * h + (1 - g) * torch.tanh(c)


class TermsBehindTanh(nn.Module):
    """MUT1: the outer tanh closes in front of two terms."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, 3 * hidden_size)
        self.u_r = nn.Linear(hidden_size, hidden_size, bias=False)
        self.u_h = nn.Linear(hidden_size, hidden_size, bias=False)
        self.k = nn.Parameter(torch.randn(hidden_size))

    def candidate(self, r: Tensor, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.u_h(r * h)) + torch.tanh(x) + self.k

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z, r, g = self.x(x).chunk(3, 1)
        z, r = torch.sigmoid(z), torch.sigmoid(r + self.u_r(h))
        return (1 - z) * h + z * self.candidate(r, g, h)


class ResetBehindTheBias(TermsBehindTanh):
    """MUT1: the reset gate multiplies the product and its bias."""

    def candidate(self, r: Tensor, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(r * (self.u_h(h) + self.k) + torch.tanh(x))


class PartOfAnotherMatrix(nn.Module):
    """A GRU on [x, h] whose candidate takes the recurrent part of its reset gate."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, 3 * hidden_size)
        self.u_z, self.u_r = (nn.Linear(hidden_size, hidden_size, bias=False) for _ in range(2))
        self.u_h = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z, r, g = self.x(x).chunk(3, 1)
        z, r = torch.sigmoid(z + self.u_z(h)), torch.sigmoid(r + self.u_r(h))
        return (1 - z) * h + z * torch.tanh(g + self.u_r(r * h))


class NormalisedLSTM(nn.Module):
    """An LSTM with layer normalisation of all gates together."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        d = hidden_size
        self.w, self.u = nn.Linear(input_size, 4 * d, bias=False), nn.Linear(d, 4 * d, bias=False)
        self.bias = nn.Parameter(torch.randn(4 * d))
        self.gain_x, self.gain_h = nn.Parameter(1 + torch.rand(4 * d)), nn.Parameter(1 + torch.rand(4 * d))
        self.gain_c, self.shift_c = nn.Parameter(1 + torch.rand(d)), nn.Parameter(torch.randn(d))

    def norm(self, v: Tensor) -> Tensor:
        return (v - v.mean(1, keepdim=True)) / torch.sqrt(v.var(1, keepdim=True, unbiased=False) + 1e-5)

    def carried(self, c: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cell state that is carried on, and what is read of it."""
        return c, self.gain_c * self.norm(c) + self.shift_c

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, c = state
        gates = self.gain_x * self.norm(self.w(x)) + self.gain_h * self.norm(self.u(h)) + self.bias
        f, i, o, g = gates.chunk(4, 1)
        c, read = self.carried(torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g))
        h = torch.sigmoid(o) * torch.tanh(read)
        return h, (h, c)


class CarriedNormalised(NormalisedLSTM):
    """Wrong: the normalised cell state is carried on."""

    def carried(self, c: Tensor) -> tuple[Tensor, Tensor]:
        _, read = super().carried(c)
        return read, read


class DividedByVariance(NormalisedLSTM):
    """Wrong: all normalisations divide by the variance."""

    def norm(self, v: Tensor) -> Tensor:
        return (v - v.mean(1, keepdim=True)) / (v.var(1, keepdim=True, unbiased=False) + 1e-5)


class ConstantOutside(NormalisedLSTM):
    """Wrong: the constant is added behind the root of all normalisations."""

    def norm(self, v: Tensor) -> Tensor:
        return (v - v.mean(1, keepdim=True)) / (v.std(1, keepdim=True, unbiased=False) + 1e-5)


def _spec(name: str) -> Spec:
    return without_alternatives(next(spec for spec in (*library().cells, *literature()) if spec.id == name))


_SLOW = pytest.mark.deep(
    "tests/unit/validation/test_more_places_of_mistakes.py::test_the_mistake_is_named_with_its_equation"
)


@pytest.mark.parametrize(
    ("cell", "name", "part", "words"),
    [
        (ProductAroundTheGate, "ugrnn", "ugrnn-3", "1 is outside of the product with c"),
        (ComplementInside, "ugrnn", "ugrnn-3", "1 less the argument of sigmoid stands where 1 less g should"),
        (ShareOfTheGate, "ugrnn", "ugrnn-2", "g is multiplied by 9/10"),
        (HalfOfTheCandidate, "ugrnn", "ugrnn-1", "c is multiplied by 1/2"),
        (LimitedGate, "ugrnn", "ugrnn-2", "what sigmoid is applied to is limited to [-1, 1]"),
        (TermsBehindTanh, "mut1", "mut1-3", "tanh ends before tanh(((W_h x) + b_h))"),
        (ResetBehindTheBias, "mut1", "mut1-3", "r multiplies behind U_h, and k too"),
        (
            PartOfAnotherMatrix,
            "gru.write.004",
            "E-405, E-404",
            "the part of W_h for h[t-1] stands where that of W_R should, or the other way round",
        ),
        pytest.param(CarriedNormalised, "lstm.layernorm", "lstm.layernorm-17", "c is carried on", marks=_SLOW),
        pytest.param(
            DividedByVariance,
            "lstm.layernorm",
            "lstm.layernorm-6, lstm.layernorm-12, lstm.layernorm-18",
            "all are divided by its variance and not by the root of it",
            marks=_SLOW,
        ),
        pytest.param(
            ConstantOutside,
            "lstm.layernorm",
            "lstm.layernorm-6, lstm.layernorm-12, lstm.layernorm-18",
            "all are divided by its deviation and a constant",
            marks=_SLOW,
        ),
    ],
)
def test_the_mistake_is_named_with_its_equation(cell: type[nn.Module], name: str, part: str, words: str) -> None:
    found = faulty_match(TargetSearch(probe_target(target_of("cell", cell))), _spec(name))
    assert found is not None
    diagnosis = found.diagnosis()
    assert diagnosis.part == f"forward: {part}"
    assert words in diagnosis.difference


@pytest.mark.deep("tests/unit/validation/test_more_places_of_mistakes.py::test_the_mistake_is_named_with_its_equation")
def test_a_right_normalised_cell_equals_its_spec() -> None:
    search = TargetSearch(probe_target(target_of("cell", NormalisedLSTM)))
    assert search.match_spec(_spec("lstm.layernorm")) is not None
