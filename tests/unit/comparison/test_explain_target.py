"""The equations of somebody's cell, in every format, by its own names where they can stand in an equation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.comparison.describe_cell import describe
from rnn_harness.comparison.describe_model import cell_or_model
from rnn_harness.comparison.explain_target import explained_cell, kinds_of_layers
from rnn_harness.comparison.model_description import ModelDescription
from rnn_harness.reports.text.explained_cell import explained_latex, explained_markdown, explained_text
from rnn_harness.specs import parse_spec
from rnn_harness.validation import ValidationRequest, target_of
from tests.helpers import HELPERS, complementary_gates

RUN = CliRunner()


class ShortNames(nn.Module):
    """A simple RNN whose parameters have the names of a paper."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.U = nn.Parameter(torch.randn(hidden_size, input_size))
        self.W = nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.b = nn.Parameter(torch.randn(hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(x @ self.U.T + h @ self.W.T + self.b)


class ForgetsLess(complementary_gates.GateAndCandidate):
    """A minimal gated unit with 1 beside the bias of its gate."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        f = torch.sigmoid(self.f(torch.cat([x, h], -1)) + 1)
        return (1 - f) * h + f * self.candidate(x, f * h)


def test_parameters_keep_their_own_names_where_an_equation_can_hold_them() -> None:
    cell = explained_cell(describe(ValidationRequest("ShortNames"), target_of("ShortNames", ShortNames), False))
    assert cell.equations == (r"h_t = \tanh(U x_t + W h_{t-1} + b)",)
    assert {symbol.name: symbol.shape for symbol in cell.symbols} == {"U": "d x n", "W": "d x d", "b": "d"}
    program = parse_spec(cell.spec_file, Path("own.toml")).program()
    assert [parameter.name for parameter in program.parameters] == ["W", "U", "b"]
    assert r"h_t &= \tanh(U x_t + W h_{t-1} + b)" in explained_latex(cell)
    assert "| $U$ | d x n | U |" in explained_markdown(cell)


def test_a_cell_of_a_library_is_written_with_the_places_of_its_parameters_and_its_document() -> None:
    cell = explained_cell(describe(ValidationRequest("torch.nn:GRUCell"), target_of("g", nn.GRUCell), False))
    text = explained_text(cell)
    assert "printed by gru.reset_after" in text
    assert "bias_ih, block 1 of 3 + bias_hh, block 1 of 3" in text
    assert len(cell.equations) == 4
    assert cell.printed is not None
    assert cell.printed.equations[2] == r"n_t = \tanh(W_{in} x_t + b_n + r_t \odot (W_{hn} h_{t-1} + b_{hn}))"
    assert "As torch.nn.GRU prints it:" in text
    assert "  W_in  d x n  weight_ih, block 3 of 3" in text
    assert r"$$n_t = \tanh(W_{in} x_t" in explained_markdown(cell)
    assert parse_spec(cell.spec_file, Path("own.toml")).is_cell


def test_the_weights_of_a_document_that_multiplies_with_transposed_ones_are_transposed() -> None:
    cell = explained_cell(describe(ValidationRequest("torch.nn:LSTMCell"), target_of("l", nn.LSTMCell), False))
    assert cell.printed is not None
    assert cell.printed.source == "document 003"
    places = {symbol.name: symbol.places for symbol in cell.printed.symbols}
    assert places["W_xf"] == ("weight_ih, block 2 of 4, transposed",)
    assert places["b_o"] == ("bias_ih, block 4 of 4", "bias_hh, block 4 of 4")
    one_bias = replace(cell, printed=None)
    assert "prints it" not in explained_text(one_bias)


@pytest.mark.usefixtures("in_process")
def test_the_spec_file_is_verified_at_once_and_the_cell_agrees_with_it(tmp_path: Path) -> None:
    target, file = f"{HELPERS / 'user_cells.py'}:OneBiasResetAfter", tmp_path / "cell.toml"
    result = RUN.invoke(app, ["explain", target, "--format", "spec", "--output", str(file)])
    assert result.exit_code == 0, result.output
    compared = RUN.invoke(app, ["compare", target, str(file), "--spec", str(file)])
    assert compared.exit_code == 0, compared.output
    verified = RUN.invoke(app, ["verify", str(file), "--examples", "0"])
    assert verified.exit_code == 0, verified.output


@pytest.mark.usefixtures("in_process")
def test_an_unknown_cell_is_not_explained() -> None:
    result = RUN.invoke(app, ["explain", f"{HELPERS / 'consistent_cells.py'}:SineCell"])
    assert result.exit_code == 3
    assert "is no cell that is known" in result.stderr


def test_a_model_is_explained_layer_by_layer_and_each_kind_once() -> None:
    request = ValidationRequest("Stack")
    model = cell_or_model(request, target_of("Stack", torch.nn.GRU(5, 3, 2, bidirectional=True), {}), False)
    assert isinstance(model, ModelDescription)
    (kind,) = kinds_of_layers(model)
    cell = explained_cell(kind)
    assert cell.target == "layer 0 of Stack"
    assert "layer 0, reverse, layer 1, layer 1, reverse compute the same" in cell.sentence
    assert 'id = "stack"' in cell.spec_file or "layer_0_of_stack" in cell.spec_file


@pytest.mark.usefixtures("in_process")
def test_layers_of_two_kinds_are_two_cells_and_no_single_spec_file(tmp_path: Path) -> None:
    file = tmp_path / "mixed.py"
    file.write_text(_MIXED, encoding="utf-8")
    target = f"{file}:Mixed"
    shown = RUN.invoke(app, ["explain", target])
    assert shown.exit_code == 0, shown.output
    assert f"lower of {target}" in shown.stdout
    assert f"upper of {target}" in shown.stdout
    refused = RUN.invoke(app, ["explain", target, "--format", "spec"])
    assert refused.exit_code == 2
    assert "has 2 kinds of recurrent layers (lower, upper)" in refused.stderr


_MIXED = """
from torch import nn


class Mixed(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lower = nn.GRU(input_size, hidden_size)
        self.upper = nn.LSTM(hidden_size, hidden_size)

    def forward(self, x):
        return self.upper(self.lower(x)[0])[0]
"""


@pytest.mark.parametrize(
    ("name", "part"),
    [("KeepsWhereThePaperWrites", r"f_{t} = 1 - \sigma"), ("LightGRUThatWrites", r"z_{t} = 1 - \sigma")],
)
def test_the_spec_of_a_cell_with_the_complement_of_a_gate_has_its_own_equation(name: str, part: str) -> None:
    target = target_of(name, getattr(complementary_gates, name))
    cell = explained_cell(describe(ValidationRequest(name), target, False))
    assert any(equation.startswith(part) for equation in cell.equations)
    spec = parse_spec(cell.spec_file, Path("explained.toml"))
    assert [entry.text for entry in spec.equations if entry.text.startswith(part)]


def test_a_constant_beside_a_gate_stands_in_the_spec_of_the_cell() -> None:
    cell = explained_cell(describe(ValidationRequest("ForgetsLess"), target_of("ForgetsLess", ForgetsLess), False))
    assert any(r"b_{f} + \kappa" in equation for equation in cell.equations)
    spec = parse_spec(cell.spec_file, Path("explained.toml"))
    assert spec.model.constants == {"kappa": "1"}
