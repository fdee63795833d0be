"""A spec file that nobody wrote a reference for is oracle enough: equations, bounds and derived backward."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import rnn_harness
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

PAPER = """
id = "mine"
title = "The cell of my paper"
inputs = { x = "n" }
states = { h = "d" }
parameters = { W = "d n", U = "d d", V = "d d", b = "d" }

[[equations]]
id = "F-001"
line = 1
printed = 'g_t = \\sigma(V h_{t-1})'

[[equations]]
id = "F-002"
line = 2
printed = 'h_t = g_t \\odot \\tanh(W x_t + U h_{t-1} + b)'
"""


class Mine(nn.Module):
    """As the paper says."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W = nn.Linear(input_size, hidden_size, bias=False)
        self.U = nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.V = nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.b = nn.Parameter(torch.zeros(hidden_size))

    def gate(self, h: Tensor) -> Tensor:
        return torch.sigmoid(h @ self.V.T)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.gate(h) * torch.tanh(self.W(x) + h @ self.U.T + self.b)


class Turned(Mine):
    """One matrix is transposed."""

    def gate(self, h: Tensor) -> Tensor:
        return torch.sigmoid(h @ self.V)


class Renamed(nn.Module):
    """Nobody can know which matrix is which."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.second = nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.inner = nn.Linear(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.sigmoid(h @ self.first.T) * torch.tanh(self.inner(x) + h @ self.second.T)


@pytest.fixture
def paper(tmp_path: Path) -> str:
    path = tmp_path / "paper.toml"
    path.write_text(PAPER, encoding="utf-8")
    return str(path)


def _records(cell: object, paper: str) -> dict[str, Record]:
    return {one.check: one for one in rnn_harness.validate(cell, paper, examples=0, dtypes=("float64",)).checks}


def test_a_cell_that_follows_the_paper_agrees_with_every_gradient(paper: str) -> None:
    found = _records(Mine, paper)
    assert found["precision.format"].outcome is Outcome.AGREES
    assert found["backward.entries"].outcome is Outcome.AGREES
    assert found["backward.quotient"].outcome is Outcome.AGREES
    assert not [record.reason for record in found.values() if record.outcome is Outcome.REFUTED]


def test_a_cell_with_one_matrix_transposed_is_refuted_and_its_manners_are_left_aside(paper: str) -> None:
    found = _records(Turned, paper)
    assert found["precision.format"].outcome is Outcome.REFUTED
    assert "no known arithmetic explains it" in found["precision.format"].reason
    assert found["behaviour.gradgrad"].outcome is Outcome.NOT_RUN
    assert found["behaviour.gradgrad"].reason == "the outputs are wrong already"
    assert found["behaviour.determinism"].outcome is Outcome.AGREES


def test_parameters_of_any_name_are_recognised_by_what_they_do(paper: str) -> None:
    found = _records(Renamed, paper)
    assert found["identification.unique"].outcome is Outcome.AGREES
    assert found["precision.format"].outcome is Outcome.AGREES
    assert not [record.reason for record in found.values() if record.outcome is Outcome.REFUTED]


class Stacked(nn.Module):
    """One matrix, transposed, on state and input together, and a second one for the gate."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.both = nn.Parameter(torch.randn(hidden_size + input_size, hidden_size) / 2)
        self.gate = nn.Parameter(torch.randn(hidden_size, hidden_size) / 2)
        self.first, self.second = nn.Parameter(torch.randn(hidden_size)), nn.Parameter(torch.randn(1, hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        candidate = torch.tanh(torch.cat([h, x], 1) @ self.both + self.first + self.second)
        return torch.sigmoid(h @ self.gate) * candidate


def test_joined_transposed_weights_and_two_biases_are_the_same_cell(paper: str) -> None:
    found = _records(Stacked, paper)
    assert found["identification.unique"].outcome is Outcome.AGREES
    assert found["backward.entries"].outcome is Outcome.AGREES
    assert not [record.reason for record in found.values() if record.outcome is Outcome.REFUTED]


class NoGate(Renamed):
    """The gate is forgotten, and the names say nothing."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.sigmoid(h @ self.first.T) + torch.tanh(self.inner(x) + h @ self.second.T)


class OtherActivation(Mine):
    """tanh stands where the logistic function should."""

    def gate(self, h: Tensor) -> Tensor:
        return torch.tanh(h @ self.V.T)


class OtherMatrix(Mine):
    """U stands where V should."""

    def gate(self, h: Tensor) -> Tensor:
        return torch.sigmoid(h @ self.U.T)


class CutGate(Mine):
    """No gradient goes through the gate."""

    def gate(self, h: Tensor) -> Tensor:
        return super().gate(h).detach()


class TwoMistakes(Mine):
    """The gate has another activation, and the product with the input is forgotten."""

    def gate(self, h: Tensor) -> Tensor:
        return torch.tanh(h @ self.V.T)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.gate(h) * torch.tanh(self.W(x) - h @ self.U.T + self.b)


def test_a_wrong_cell_of_a_spec_file_has_a_small_counterexample(paper: str) -> None:
    counterexample = rnn_harness.validate(OtherMatrix, paper, examples=0, dtypes=("float64",)).counterexample
    assert counterexample is not None
    assert counterexample.nonzero <= 8
    assert abs(counterexample.computed - counterexample.expected) > counterexample.bound


@pytest.mark.parametrize(
    ("cell", "part", "words"),
    [
        (Turned, "forward: F-001", "V is transposed"),
        (NoGate, "forward: F-002", "are added, not multiplied"),
        (OtherActivation, "forward: F-001", "tanh stands where sigmoid should"),
        (OtherMatrix, "forward: F-001", "U stands where V should"),
        (CutGate, "backward: F-001, F-002", "no gradient flows through g"),
        (TwoMistakes, "forward: F-001, F-002", "U h[t-1] is subtracted, not added"),
    ],
)
def test_a_mistake_is_named_by_the_equation_and_the_symbols_of_the_paper(
    paper: str, cell: type[nn.Module], part: str, words: str
) -> None:
    diagnosis = rnn_harness.validate(cell, paper, examples=0, dtypes=("float64",)).diagnosis
    assert diagnosis is not None
    assert diagnosis.part == part
    assert words in diagnosis.difference
    assert f"in {'g_t' if part.startswith('forward: F-001') else 'h_t'} = " in diagnosis.difference


def test_a_cell_with_other_states_than_the_paper_is_not_driven_against_it(paper: str) -> None:
    with pytest.raises(ValueError, match="two states as a tuple, but mine has the states h"):
        _records(nn.LSTMCell, paper)


TWO_STATES = """
id = "memory.first"
title = "Two states, the memory first; what it gives is neither"
inputs = { x = "n" }
states = { c = "d", s = "d" }
outputs = ["y"]
parameters = { W = "d n", U = "d d" }

[[equations]]
id = "S-001"
line = 1
printed = 'a_t = \\tanh(W x_t + U s_{t-1})'

[[equations]]
id = "S-002"
line = 2
printed = 'c_t = c_{t-1} \\odot \\sigma(a_t) + a_t'

[[equations]]
id = "S-003"
line = 3
printed = 's_t = \\tanh(c_{t-1}) \\odot a_t'

[[equations]]
id = "S-004"
line = 4
printed = 'y_t = s_t \\odot c_t'
"""


class MemoryFirst(nn.Module):
    """As its paper says: the output, and (c, s)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(hidden_size, input_size) / 2)
        self.U = nn.Parameter(torch.randn(hidden_size, hidden_size) / 2)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        c, s = state
        a = torch.tanh(x @ self.W.T + s @ self.U.T)
        memory, shown = c * torch.sigmoid(a) + a, torch.tanh(c) * a
        return shown * memory, (memory, shown)


def test_states_of_any_name_in_any_order_and_an_output_that_is_no_state_agree(tmp_path: Path) -> None:
    path = tmp_path / "memory.toml"
    path.write_text(TWO_STATES, encoding="utf-8")
    found = _records(MemoryFirst, str(path))
    assert found["precision.format"].outcome is Outcome.AGREES
    assert found["backward.entries"].outcome is Outcome.AGREES
    assert not [record.reason for record in found.values() if record.outcome is Outcome.REFUTED]


def test_the_python_interface_identifies_classes_and_instances() -> None:
    (one,) = rnn_harness.identify(nn.GRUCell)
    (two,) = rnn_harness.identify(nn.GRUCell(7, 2))
    assert one.spec == two.spec == "gru.reset_after"
