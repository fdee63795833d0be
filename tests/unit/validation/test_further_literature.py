"""Cells of the literature whose printed form is another than that of the package they were first read from."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.specs import literature
from rnn_harness.validation import ValidationRequest, collect_validation, run_validation
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.library_match import library_match
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch


class FirstMutation(nn.Module):
    """MUT1 as it is printed: its candidate reads the tanh of the input, without a matrix."""

    def __init__(self, width: int = 5) -> None:
        super().__init__()
        self.gates, self.recurrent = nn.Linear(width, 2 * width), nn.Linear(width, 2 * width, bias=False)
        self.b = nn.Parameter(torch.randn(width))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        r, z = self.gates(x).chunk(2, 1)
        u_r, u = self.recurrent.weight.chunk(2)
        z, r = torch.sigmoid(z), torch.sigmoid(r + h @ u_r)
        return h + z * (torch.tanh((r * h) @ u + x.tanh() + self.b) - h)


class Antisymmetric(nn.Module):
    """An antisymmetric RNN with its gate, and constants that are hardly told apart where all parameters are zero."""

    unit: Tensor
    epsilon, gamma = 0.25, 0.02

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.w = nn.Linear(input_size, 2 * hidden_size), nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.register_buffer("unit", torch.eye(hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        both = self.x(x).unflatten(1, (2, -1)) + (h @ (self.w.T - self.w - self.gamma * self.unit))[:, None]
        return h + self.epsilon * torch.sigmoid(both[:, 1]) * torch.tanh(both[:, 0])


class OtherAntisymmetric(Antisymmetric):
    """The same with constants to which whole steps lead."""

    epsilon, gamma = 0.1, 0.05


class NoWindow(nn.Module):
    """A QRNN that reads one step, without biases."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(3, input_size, hidden_size))

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        o, z, f = torch.einsum("bn,gnd->gbd", x, self.kernel)
        c = torch.lerp(torch.tanh(z), c, torch.sigmoid(f))
        return torch.sigmoid(o) * c, c


class ConvolutionOverOneStep(nn.Module):
    """A QRNN that reads one step with the kernel of a convolution, over (B, n, T)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(input_size, 3 * hidden_size, 1)

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        z, f, o = self.conv(x).chunk(3, 1)
        z, f, o, outputs = torch.tanh(z), torch.sigmoid(f), torch.sigmoid(o), []
        for t in range(x.shape[2]):
            c = f[..., t] * c + (1 - f[..., t]) * z[..., t]
            outputs.append(o[..., t] * c)
        return torch.stack(outputs, 2), c


class ClosedForm(nn.Module):
    """CfC whose time step is 1 unless it is told otherwise."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(input_size + hidden_size, hidden_size) for _ in range(4))

    def forward(self, x: Tensor, hidden: Tensor, ts: float = 1.0) -> Tensor:
        a, b, first, second = (head(torch.cat([x, hidden], 1)) for head in self.heads)
        late = torch.sigmoid(a * ts + b)
        return late * torch.tanh(second) + (1 - late) * torch.tanh(first)


class OldStateBehindTheTime(ClosedForm):
    """Wrong: the old state stands where the first head should."""

    def forward(self, x: Tensor, hidden: Tensor, ts: float = 1.0) -> Tensor:
        a, b, _, second = (head(torch.cat([x, hidden], 1)) for head in self.heads)
        late = torch.sigmoid(a * ts + b)
        return late * torch.tanh(second) + (1 - late) * hidden


class SkipsBehindTheMatrix(nn.Module):
    """Wrong: an SRU that skips what its matrix makes of the input, and not the input."""

    def __init__(self, width: int = 5) -> None:
        super().__init__()
        self.x = nn.Linear(width, 3 * width, bias=False)
        self.v, self.b = nn.Parameter(torch.randn(2, width)), nn.Parameter(torch.randn(2, width))

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        x, f, r = self.x(x).chunk(3, 1)
        f, r = torch.sigmoid(f + self.v[0] * c + self.b[0]), torch.sigmoid(r + self.v[1] * c + self.b[1])
        c = f * c + (1 - f) * x
        return r * c + (1 - r) * x, c


class ProjectedBeforeItsReset(nn.Module):
    """Wrong: the reset gate of MUT2 reads what the candidate's matrix makes of the input."""

    def __init__(self, width: int = 5) -> None:
        super().__init__()
        self.z, self.x = nn.Linear(2 * width, width), nn.Linear(width, width, bias=False)
        self.r, self.h = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z = torch.sigmoid(self.z(torch.cat([x, h], 1)))
        x = self.x(x)
        r = torch.sigmoid(x + self.r(h))
        return z * torch.tanh(x + self.h(r * h)) + (1 - z) * h


@pytest.mark.parametrize(
    ("cell", "name", "part", "words"),
    [
        (SkipsBehindTheMatrix, "sru", "sru-4", "W x stands where x should"),
        (ProjectedBeforeItsReset, "mut2.direct", "mut2.direct-2", "W_h x stands where x should"),
    ],
)
def test_what_a_matrix_makes_of_an_input_is_named_in_its_place(
    cell: type[nn.Module], name: str, part: str, words: str
) -> None:
    spec = next(spec for spec in literature() if spec.id == name)
    found = faulty_match(TargetSearch(probe_target(target_of("cell", cell))), spec)
    assert found is not None
    assert found.diagnosis().part == f"forward: {part}"
    assert words in found.diagnosis().difference


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (FirstMutation, "mut1.direct"),
        (Antisymmetric, "antisymmetric.gated"),
        (OtherAntisymmetric, "antisymmetric.gated"),
        (NoWindow, "qrnn.one"),
        (ConvolutionOverOneStep, "qrnn.one"),
        (ClosedForm, "cfc"),
        (OldStateBehindTheTime, None),
    ],
)
def test_a_cell_as_it_is_printed_is_identified(cell: type[nn.Module], name: str | None) -> None:
    match = library_match(probe_target(target_of("cell", cell)))
    assert (None if match is None else match.spec.id) == name


def test_the_kernel_of_a_convolution_over_one_step_is_judged_at_other_sizes() -> None:
    target = target_of("cell", ConvolutionOverOneStep)
    validation = collect_validation("cell", run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    assert (validation.outcome, validation.spec) == ("agrees", "qrnn.one")
