"""Cells that divide by what they compute, with stabilised exponential gates, fixed memories and several inputs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.cases.case import Case
from rnn_harness.errors import NotRun
from rnn_harness.specs import Spec, literature
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.candidate_judge import judge_case
from rnn_harness.validation.judging.spec_file import spec_file_candidate
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch


class Stabilised(nn.Module):
    """SLSTM whose four states are one tensor; its log gates are never exponentials of themselves."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.r = nn.Linear(input_size, 4 * hidden_size), nn.Linear(hidden_size, 4 * hidden_size, bias=False)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        h, c, n, m = state.chunk(4, 1)
        i, f, z, o = (self.x(x) + self.r(h)).chunk(4, 1)
        f = nn.functional.logsigmoid(f) + m
        m = torch.maximum(f, i)
        i, f = torch.exp(i - m), torch.exp(f - m)
        c, n = f * c + i * torch.tanh(z), f * n + i
        return torch.cat([torch.sigmoid(o) * c / n, c, n, m], 1)


class Legendre(nn.Module):
    """LMU with a memory as wide as its state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.encode = nn.Linear(input_size + 2 * hidden_size, 1, bias=False)
        self.memory, self.write = nn.Linear(hidden_size, hidden_size, bias=False), nn.Linear(1, hidden_size, bias=False)
        self.kernel = nn.Linear(input_size + 2 * hidden_size, hidden_size, bias=False)

    def read(self, old: Tensor, new: Tensor) -> Tensor:
        """Choose the memory that the state is computed from: the new one."""
        return new

    def forward(self, x: Tensor, h: Tensor, m: Tensor) -> tuple[Tensor, Tensor]:
        new = self.memory(m) + self.write(self.encode(torch.cat([x, h, m], 1)))
        return torch.tanh(self.kernel(torch.cat([x, h, self.read(m, new)], 1))), new


class LegendreOfOldMemory(Legendre):
    """LMU whose state is computed from the memory before the step."""

    def read(self, old: Tensor, new: Tensor) -> Tensor:
        return old


class Liquid(nn.Module):
    """LTC with a step of 0.25; its time constants are negative, so that its state grows without end."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gate = nn.Linear(input_size + hidden_size, hidden_size)
        self.a, self.tau = nn.Parameter(torch.randn(hidden_size)), nn.Parameter(-torch.ones(hidden_size))

    def rate(self) -> Tensor:
        """Return the rate at which the state decays."""
        return 1 / self.tau

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        f = torch.sigmoid(self.gate(torch.cat([x, h], 1)))
        return (h + 0.25 * f * self.a) / (1 + 0.25 * (self.rate() + f))


class LiquidOfTime(Liquid):
    """LTC whose time constants stand where the rates should."""

    def rate(self) -> Tensor:
        return self.tau


class Decaying(nn.Module):
    """GRU-D on [x, h, mask], one decay of the input by entry."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.randn(input_size)), nn.Parameter(torch.randn(input_size))
        self.mean, self.decay = nn.Parameter(torch.randn(input_size)), nn.Linear(input_size, hidden_size)
        self.gates = nn.Linear(2 * input_size + hidden_size, 2 * hidden_size)
        self.candidate = nn.Linear(2 * input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor, mask: Tensor, gap: Tensor, last: Tensor, h: Tensor) -> Tensor:
        kept = torch.exp(-torch.relu(self.scale * gap + self.shift))
        x, h = (
            mask * x + (1 - mask) * (kept * last + (1 - kept) * self.mean),
            torch.exp(-torch.relu(self.decay(gap))) * h,
        )
        z, r = torch.sigmoid(self.gates(torch.cat([x, h, mask], 1))).chunk(2, 1)
        return (1 - z) * h + z * torch.tanh(self.candidate(torch.cat([x, r * h, mask], 1)))


def _spec(name: str) -> Spec:
    return next(spec for spec in literature() if spec.id == name)


@pytest.mark.parametrize(("cell", "name"), [(Legendre, "lmu"), (Liquid, "ltc")])
def test_a_right_cell_is_identified(cell: type[nn.Module], name: str) -> None:
    assert TargetSearch(probe_target(target_of("cell", cell))).match_spec(_spec(name)) is not None


@pytest.mark.deep("tests/unit/validation/test_divided_states.py::test_a_right_cell_is_identified")
def test_inputs_side_by_side_are_identified() -> None:
    assert spec_file_candidate(target_of("cell", Decaying), _spec("grud"), ("float64",)).match is not None


@pytest.mark.deep("tests/unit/validation/test_divided_states.py::test_a_right_cell_is_identified")
@pytest.mark.parametrize(
    ("cell", "name", "words"),
    [
        (LegendreOfOldMemory, "lmu", "lmu-3: m[t-1] stands where m should"),
        (LiquidOfTime, "ltc", "ltc-2: tau stands where 1 / tau should"),
    ],
    ids=["LMU", "LTC"],
)
def test_a_wrong_equation_is_named(cell: type[nn.Module], name: str, words: str) -> None:
    found = faulty_match(TargetSearch(probe_target(target_of("cell", cell))), _spec(name))
    assert found is not None
    assert words in found.diagnosis().difference


def test_second_derivatives_that_cancel_are_compared_with_what_cancels() -> None:
    kernel = spec_file_candidate(target_of("cell", Stabilised), _spec("slstm"), ("float64",)).kernel
    case = Case(spec="slstm", dtype="float64", n=5, d=3, B=2, T=2, seed=1)
    finding = judge_case(kernel, "behaviour.gradgrad", case)
    assert finding is not None
    assert finding.agrees


@pytest.mark.deep("tests/unit/validation/test_divided_states.py::test_a_right_cell_is_identified")
def test_a_state_that_grows_beyond_all_numbers_refutes_nothing() -> None:
    kernel = spec_file_candidate(target_of("cell", Liquid), _spec("ltc"), ("float64",)).kernel
    with pytest.raises(NotRun, match="leave the range of float64 within 1000 steps"):
        judge_case(kernel, "precision.long", Case(spec="ltc", dtype="float64", n=5, d=3, B=1, T=2, seed=1))
