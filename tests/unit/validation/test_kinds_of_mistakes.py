"""Mistakes that leave a block of a stacked parameter without an influence, or that stand in two places at once."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.specs import literature
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch


class _Stacked(nn.Module):
    """All blocks of the input in one parameter, all of the state in another, each with a bias."""

    of_input, of_state = 2, 2

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, self.of_input * hidden_size)
        self.h = nn.Linear(hidden_size, self.of_state * hidden_size)

    def blocks(self, x: Tensor, h: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        return list(self.x(x).chunk(self.of_input, 1)), list(self.h(h).chunk(self.of_state, 1))


class BlockTakenTwice(_Stacked):
    """CFN: the block of one gate, with its bias, is taken for the other gate too."""

    of_input = 3

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        (a, b, c), (u, _) = self.blocks(x, h)
        return torch.sigmoid(a + u) * torch.tanh(h) + torch.sigmoid(b + u) * torch.tanh(c)


class ComplementOfAnotherGate(_Stacked):
    """CFN: the second gate is the complement of the first, as in a GRU."""

    of_input = 3

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        (a, _, c), (u, _) = self.blocks(x, h)
        gate = torch.sigmoid(a + u)
        return gate * torch.tanh(h) + (1 - gate) * torch.tanh(c)


class ParameterUnused(_Stacked):
    """LightRU: its gate does not read the state."""

    of_state = 1

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        (c, f), _ = self.blocks(x, h)
        f = torch.sigmoid(f)
        return (1 - f) * h + f * torch.tanh(c)


class SumOfAnother(_Stacked):
    """UGRNN: the gate is computed from the candidate's sum."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        (c, _), (u, _) = self.blocks(x, h)
        g = torch.sigmoid(c + u)
        return g * h + (1 - g) * torch.tanh(c + u)


class HardGate(_Stacked):
    """LiGRU: the gate is the hard sigmoid of Keras."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        (z, c), (u, v) = self.blocks(x, h)
        z = torch.clamp(0.2 * (z + u) + 0.5, 0.0, 1.0)
        return z * h + (1 - z) * torch.relu(c + v)


class TwoMistakes(_Stacked):
    """UGRNN: the candidate without tanh, and not weighted by the complement of the gate."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        (c, g), (v, u) = self.blocks(x, h)
        return torch.sigmoid(g + u) * h + (c + v)


class FunctionOfTheSum(nn.Module):
    """FastRNN: the first number multiplies the old state too."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w, self.u = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        self.alpha, self.beta = nn.Parameter(torch.tensor(-3.0)), nn.Parameter(torch.tensor(3.0))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.sigmoid(self.alpha) * (torch.tanh(self.w(x) + self.u(h)) + torch.sigmoid(self.beta) * h)


class TanhBelowTheNormalisation(nn.Module):
    """LSTM with layer normalisation: tanh is taken of the cell state before it is normalised."""

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
        return torch.sigmoid(o) * self.norm_c(torch.tanh(c)), c


_SLOW = pytest.mark.deep(
    "tests/unit/validation/test_literature_faults.py::test_the_wrong_equation_is_named_and_what_is_wrong_in_it"
)


@pytest.mark.parametrize(
    ("cell", "name", "part", "words"),
    [
        (BlockTakenTwice, "cfn", "cfn-1, cfn-2", "U_i stands where U_q should, or U_q where U_i should"),
        (ComplementOfAnotherGate, "cfn", "cfn-3", "1 - theta stands where eta should"),
        (ParameterUnused, "lightru", "lightru-2", "U_f h[t-1] is not added"),
        pytest.param(SumOfAnother, "ugrnn", "ugrnn-1", "c is computed from the sum that belongs into g", marks=_SLOW),
        (HardGate, "ligru", "ligru-1", "a hard sigmoid of slope 1/5 stands where sigmoid should"),
        pytest.param(TwoMistakes, "ugrnn", "ugrnn-1, ugrnn-3", "tanh is left out", marks=_SLOW),
        pytest.param(
            TanhBelowTheNormalisation,
            "lstm.layernorm",
            "lstm.layernorm-18",
            "tanh is applied to c and not to what is computed from it",
            marks=_SLOW,
        ),
        (FunctionOfTheSum, "fastrnn", "fastrnn-2", "sigmoid(alpha) multiplies sigmoid(beta) ⊙ h[t-1] too"),
    ],
    ids=lambda value: (value.__doc__ or "").partition("\n")[0] if isinstance(value, type) else "",
)
def test_a_mistake_is_named_though_some_blocks_have_no_influence(
    cell: type[nn.Module], name: str, part: str, words: str
) -> None:
    spec = next(spec for spec in literature() if spec.id == name)
    found = faulty_match(TargetSearch(probe_target(target_of("cell", cell))), spec)
    assert found is not None
    diagnosis = found.diagnosis()
    assert sorted(diagnosis.part.removeprefix("forward: ").split(", ")) == part.split(", ")
    assert words in diagnosis.difference


class FullStep(nn.Module):
    """An antisymmetric network without diffusion and with a step of 1, neither of which shows without parameters."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.v, self.w = nn.Linear(input_size, hidden_size), nn.Parameter(torch.randn(hidden_size, hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return h + torch.tanh(h @ (self.w - self.w.T).T + self.v(x))


def test_constants_that_show_beside_parameters_alone_are_found() -> None:
    spec = next(spec for spec in literature() if spec.id == "antisymmetric")
    match = TargetSearch(probe_target(target_of("cell", FullStep))).match_spec(spec)
    assert match is not None
    assert "epsilon = 1 (0.1 in its spec), gamma = 0 (0.01 in its spec" in match.sentence()
