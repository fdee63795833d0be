"""Single numbers that a cell writes down and its spec learns; inputs that are projected to the size of the state."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.specs import Spec, literature
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.judging.library_match import library_match
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch


class WrittenNumbers(nn.Module):
    """A FastGRNN whose two numbers are no parameters."""

    zeta, nu = 0.8, 0.1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, hidden_size, bias=False)
        self.h = nn.Linear(hidden_size, hidden_size, bias=False)
        self.b_z, self.b_h = (nn.Parameter(torch.randn(hidden_size)) for _ in range(2))

    def mixed(self, z: Tensor, new: Tensor, h: Tensor) -> Tensor:
        return (self.zeta * (1 - z) + self.nu) * new + z * h

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        pre = self.x(x) + self.h(h)
        return self.mixed(torch.sigmoid(pre + self.b_z), torch.tanh(pre + self.b_h), h)


class OtherNumbers(WrittenNumbers):
    """Its numbers are those of the authors' code, after the sigmoid."""

    zeta, nu = 1.0, 1e-4


class NumbersBelowASigmoid(WrittenNumbers):
    """Its numbers are written down, and go through a sigmoid."""

    zeta, nu = 1.0, -4.0

    def mixed(self, z: Tensor, new: Tensor, h: Tensor) -> Tensor:
        zeta, nu = torch.sigmoid(torch.tensor([self.zeta, self.nu], dtype=z.dtype))
        return (zeta * (1 - z) + nu) * new + z * h


class LearnedNumbers(WrittenNumbers):
    """Its numbers are parameters, without a sigmoid."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.weight, self.shift = nn.Parameter(torch.tensor(0.7)), nn.Parameter(torch.tensor([[0.2]]))

    def mixed(self, z: Tensor, new: Tensor, h: Tensor) -> Tensor:
        return (self.weight * (1 - z) + self.shift) * new + z * h


class NumbersInOneVector(WrittenNumbers):
    """Its numbers are the two of one vector, the second one first."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.numbers = nn.Parameter(torch.tensor([-4.0, 1.0]))

    def mixed(self, z: Tensor, new: Tensor, h: Tensor) -> Tensor:
        nu, zeta = torch.sigmoid(self.numbers).unbind()
        return (zeta * (1 - z) + nu) * new + z * h


class NumberWithoutASigmoid(NumbersInOneVector):
    """Wrong: the sigmoid of its second number is left out."""

    def mixed(self, z: Tensor, new: Tensor, h: Tensor) -> Tensor:
        return (torch.sigmoid(self.numbers[1]) * (1 - z) + self.numbers[0]) * new + z * h


class OneBiasForBoth(WrittenNumbers):
    """Wrong: the bias of its gate is that of its candidate too."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        pre = self.x(x) + self.h(h) + self.b_z
        return self.mixed(torch.sigmoid(pre), torch.tanh(pre), h)


class NumberAtTheOldState(LearnedNumbers):
    """Wrong: the second number is added to the factor of the old state."""

    def mixed(self, z: Tensor, new: Tensor, h: Tensor) -> Tensor:
        return self.weight * (1 - z) * new + (z + self.shift) * h


class ProjectedInput(nn.Module):
    """An SRU of the first version whose skipped input has a matrix of its own."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.all = nn.Linear(input_size, 4 * hidden_size, bias=False)
        self.b_f, self.b_r = (nn.Parameter(torch.randn(hidden_size)) for _ in range(2))

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        u, f, r, skipped = self.all(x).chunk(4, 1)
        f, r = torch.sigmoid(f + self.b_f), torch.sigmoid(r + self.b_r)
        c = f * c + (1 - f) * u
        return r * torch.tanh(c) + (1 - r) * skipped, c


class ProjectedInputWithPeepholes(ProjectedInput):
    """An SRU whose gates read the old state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.v_f, self.v_r = (nn.Parameter(torch.randn(hidden_size)) for _ in range(2))

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        u, f, r, skipped = self.all(x).chunk(4, 1)
        f = torch.sigmoid(f + self.v_f * c + self.b_f)
        r = torch.sigmoid(r + self.v_r * c + self.b_r)
        c = f * c + (1 - f) * u
        return r * c + (1 - r) * skipped, c


class BothGatesOpen(nn.Module):
    """An intersection RNN whose gates begin open by numbers that are no parameters; its output is no state."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.all = nn.Linear(2 * width, 4 * width)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        y, new, g, k = self.all(torch.cat([x, h], 1)).chunk(4, 1)
        g, k = torch.sigmoid(g + 1), torch.sigmoid(k + 2)
        return g * x + (1 - g) * torch.relu(y), k * h + (1 - k) * torch.tanh(new)


def _spec(name: str) -> Spec:
    return next(spec for spec in literature() if spec.id == name)


def _probe(cell: type[nn.Module]) -> Probe:
    return probe_target(target_of("cell", cell))


@pytest.mark.parametrize(
    ("cell", "name", "constants"),
    [
        (WrittenNumbers, "fastgrnn.direct", {"zeta": 0.8, "nu": 0.1}),
        (OtherNumbers, "fastgrnn.direct", {"zeta": 1.0, "nu": 1e-4}),
        (NumbersBelowASigmoid, "fastgrnn", {"zeta": 1.0, "nu": -4.0}),
        (LearnedNumbers, "fastgrnn.direct", {}),
        (NumbersInOneVector, "fastgrnn", {}),
        (BothGatesOpen, "intersection", {"kappa": 1.0, "eta": 2.0}),
        (ProjectedInput, "sru.first.projected", {}),
        (ProjectedInputWithPeepholes, "sru.projected", {}),
    ],
)
def test_a_cell_is_identified_with_its_numbers(cell: type[nn.Module], name: str, constants: dict[str, float]) -> None:
    match = library_match(_probe(cell))
    assert match is not None
    assert match.spec.id == name
    assert {key: float(Fraction(text)) for key, text in match.spec.model.constants.items()} == constants


@pytest.mark.parametrize(
    ("cell", "name", "part", "words"),
    [
        (OneBiasForBoth, "fastgrnn.direct", "fastgrnn.direct-1, fastgrnn.direct-2", "b_h stands where b_z should"),
        (NumberAtTheOldState, "fastgrnn.direct", "fastgrnn.direct-3", "nu is added to z and not to zeta"),
        (NumberWithoutASigmoid, "fastgrnn", "fastgrnn-3", "sigmoid"),
    ],
)
def test_the_mistake_of_a_cell_with_numbers_is_named(cell: type[nn.Module], name: str, part: str, words: str) -> None:
    found = faulty_match(TargetSearch(_probe(cell)), _spec(name))
    assert found is not None
    assert found.diagnosis().part == f"forward: {part}"
    assert words in found.diagnosis().difference
