"""Weights of cells of one spec that is of no family go over to another layout, or it is said why they do not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from rnn_harness.array_types import Array
from rnn_harness.cli._app import app
from rnn_harness.conversion.spec_weights import SpecWeights
from rnn_harness.conversion.weight_files import read_weights
from tests.helpers import HELPERS
from tests.helpers.complementary_gates import AsPrinted, KeepsWhereThePaperWrites

pytestmark = pytest.mark.usefixtures("in_process")
RUN = CliRunner()
HERE = Path(__file__)


class StackedMGU(nn.Module):
    """A minimal gated unit whose gate and candidate are stacked in one matrix each."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w = nn.Linear(input_size, 2 * hidden_size)
        self.u = nn.Parameter(0.5 * torch.randn(2 * hidden_size, hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        of_gate, of_candidate = self.w(x).chunk(2, -1)
        gate_u, candidate_u = self.u.chunk(2)
        f = torch.sigmoid(of_gate + h @ gate_u.T)
        return (1 - f) * h + f * torch.tanh(of_candidate + (f * h) @ candidate_u.T)


class OneWeightFastRNN(nn.Module):
    """FastRNN, the two weights of whose sum are numbers."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w, self.u = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        self.alpha, self.beta = nn.Parameter(torch.rand(())), nn.Parameter(torch.rand(()))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.sigmoid(self.alpha) * torch.tanh(self.w(x) + self.u(h)) + torch.sigmoid(self.beta) * h


class ApartMGU(nn.Module):
    """The same in four matrices, the candidate first, with two biases of the gate."""

    has_bias = True

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.candidate_x = nn.Linear(input_size, hidden_size, bias=self.has_bias)
        self.candidate_h = nn.Linear(hidden_size, hidden_size, bias=False)
        self.gate_x = nn.Linear(input_size, hidden_size, bias=self.has_bias)
        self.gate_h = nn.Linear(hidden_size, hidden_size, bias=self.has_bias)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        f = torch.sigmoid(self.gate_x(x) + self.gate_h(h))
        return (1 - f) * h + f * torch.tanh(self.candidate_x(x) + self.candidate_h(f * h))


class WithoutBiases(ApartMGU):
    has_bias = False


class LiGRU(nn.Module):
    """A light GRU."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w, self.u = nn.Linear(input_size, 2 * hidden_size), nn.Linear(hidden_size, 2 * hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z, a = (self.w(x) + self.u(h)).chunk(2, -1)
        z = torch.sigmoid(z)
        return z * h + (1 - z) * torch.relu(a)


def convert(first: type, second: type | str, folder: Path, *options: str) -> tuple[int, str]:
    """Convert drawn weights of the first cell, n = 4 and d = 6; return the exit code and what was printed."""
    torch.manual_seed(0)
    weights = folder / "in.pt"
    if not weights.exists():
        torch.save(first(4, 6).state_dict(), weights)
    other = second if isinstance(second, str) else f"{HERE}:{second.__name__}"
    files = ("--weights", str(weights), "--output", str(folder / "out.pt"))
    result = RUN.invoke(app, ["convert", f"{HERE}:{first.__name__}", other, *files, *options])
    return result.exit_code, result.output


def assert_program_gives(program: Path, folder: Path) -> None:
    """Execute the program on what was read, and hold it against what was written."""
    scope: dict[str, Any] = {}
    exec(program.read_text(encoding="utf-8"), scope)
    made, written = scope["convert"](read_weights(folder / "in.pt")), read_weights(folder / "out.pt")
    assert set(made) == set(written)
    for name, value in written.items():
        np.testing.assert_allclose(made[name], value, rtol=1e-6, atol=1e-7, err_msg=name)


def test_the_other_layout_of_a_minimal_gated_unit_gives_the_same(tmp_path: Path) -> None:
    program = tmp_path / "code.py"
    code, text = convert(StackedMGU, ApartMGU, tmp_path, "--code", str(program))
    assert code == 0, text
    assert_program_gives(program, tmp_path)
    assert "gate_x.bias + gate_h.bias  <-  w.bias, block 1 of 2" in text
    cells = StackedMGU(4, 6), ApartMGU(4, 6)
    for cell, name in zip(cells, ("in.pt", "out.pt"), strict=True):
        cell.load_state_dict(torch.load(tmp_path / name))
    x, h = torch.randn(3, 4), torch.randn(3, 6)
    torch.testing.assert_close(cells[0](x, h), cells[1](x, h))


@pytest.mark.deep("tests/unit/conversion/test_conversion.py::test_weights_of_a_family_in_wrong_places_are_not_written")
def test_weights_that_are_written_into_wrong_places_are_not_written_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = SpecWeights.stored

    def exchanged(self: SpecWeights, named: Mapping[str, Array], dtype: np.dtype[np.generic]) -> dict[str, Array]:
        return right(self, {**named, "W_f": named["W_h"], "W_h": named["W_f"]}, dtype)

    monkeypatch.setattr(SpecWeights, "stored", exchanged)
    code, text = convert(StackedMGU, ApartMGU, tmp_path)
    assert code == 3, text
    assert "W_f of" in text
    assert "is not what was to be written" in text
    assert not (tmp_path / "out.pt").exists()


@pytest.mark.deep(
    "tests/unit/conversion/test_spec_weights.py::test_the_other_layout_of_a_minimal_gated_unit_gives_the_same"
)
@pytest.mark.parametrize(
    ("first", "second", "options", "code", "words"),
    [
        (ApartMGU, WithoutBiases, (), 1, "lost: b_f is zero: broken by up to"),
        (ApartMGU, WithoutBiases, ("--nearest",), 0, "what cannot be represented was left out"),
        (WithoutBiases, ApartMGU, (), 0, "1 layer converted"),
        (LiGRU, "ligru", (), 0, "1 layer converted"),
        (ApartMGU, StackedMGU, (), 0, "1 layer converted"),
        (StackedMGU, LiGRU, (), 3, "weights are converted between cells of one spec"),
        (StackedMGU, "torch.nn:GRUCell", (), 3, "or of one of the three families"),
    ],
    ids=["biases are lost", "nearest", "biases are zero", "a spec", "stacked", "two specs", "a family"],
)
def test_what_carries_over_is_written_and_what_does_not_is_said(
    first: type, second: type | str, options: tuple[str, ...], code: int, words: str, tmp_path: Path
) -> None:
    program = tmp_path / "code.py"
    ended, text = convert(first, second, tmp_path, *options, "--code", str(program))
    if ended == 0 and not options:
        assert_program_gives(program, tmp_path)
    assert (ended, words in text) == (code, True), text
    assert (tmp_path / "out.pt").exists() is (code == 0)


def test_weights_whose_shapes_do_not_fit_together_are_wrong_use(tmp_path: Path) -> None:
    weights = StackedMGU(4, 6).state_dict()
    torch.save({**weights, "u": torch.zeros(12, 5)}, tmp_path / "in.pt")
    code, text = convert(StackedMGU, ApartMGU, tmp_path)
    assert code == 2, text
    assert "u (12, 5)" in text
    assert "do not fit together as weights of" in text


@pytest.mark.parametrize("with_weights", [True, False], ids=["weights", "a program"])
def test_the_weights_of_a_gate_go_over_to_its_complement_with_the_other_sign(
    with_weights: bool, tmp_path: Path
) -> None:
    left, right = (f"{HELPERS / 'complementary_gates.py'}:{name}" for name in ("AsPrinted", "KeepsWhereThePaperWrites"))
    torch.manual_seed(3)
    first, second = AsPrinted(3, 4), KeepsWhereThePaperWrites(3, 4)
    torch.save(first.state_dict(), tmp_path / "in.pt")
    out, program = tmp_path / "out.npz", tmp_path / "program.py"
    more = ["--weights", str(tmp_path / "in.pt"), "--output", str(out)] if with_weights else ["--code", str(program)]
    result = RUN.invoke(app, ["convert", left, right, *more])
    assert result.exit_code == 0, result.output
    if with_weights:
        converted = read_weights(out)
    else:
        namespace: dict[str, Any] = {}
        exec(program.read_text(), namespace)
        converted = namespace["convert"]({name: value.numpy() for name, value in first.state_dict().items()})
    second.load_state_dict({name: torch.tensor(value) for name, value in converted.items()})
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    torch.testing.assert_close(second(x, h), first(x, h))


def test_where_no_program_can_be_written_that_is_said_beside_the_weights(tmp_path: Path) -> None:
    weights = tmp_path / "in.pt"
    torch.save(OneWeightFastRNN(3, 4).state_dict(), weights)
    cell, program = f"{HERE}:OneWeightFastRNN", tmp_path / "program.py"
    more = ["--weights", str(weights), "--output", str(tmp_path / "out.npz"), "--code", str(program)]
    result = RUN.invoke(app, ["convert", cell, cell, *more])
    assert result.exit_code == 0, result.output
    assert f"{program} is not written: no program is written for such weights" in result.stderr
    assert not program.exists()
