"""Layers of somebody's cell that learn the tasks: what they compute, how large they are, which cannot be trained."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from rnn_harness.benchmarks import QUICK
from rnn_harness.benchmarks.job import TrainingPlan
from rnn_harness.benchmarks.learning.layer_maker import LayerMaker, LayerStack
from rnn_harness.benchmarks.learning.trained_cell import layer_maker
from rnn_harness.cli._app import app
from rnn_harness.validation import ValidationRequest
from tests.helpers import HELPERS
from tests.helpers.consistent_cells import SineCell
from tests.helpers.user_cells import PackedGRU
from tests.helpers.work_here import do_work_here

CELLS = HELPERS / "user_cells.py"


@pytest.fixture(scope="module")
def maker() -> LayerMaker:
    """What makes layers of a cell of somebody's."""
    return layer_maker(ValidationRequest(f"{CELLS}:PackedGRU"))


def test_a_layer_is_the_cell_with_the_weights_that_its_constructor_draws_and_goes_on_from_its_states(
    maker: LayerMaker,
) -> None:
    assert maker.spec == "gru.reset_after"
    stack = LayerStack(maker, 2, 5, 1)
    cell = PackedGRU(2, 5)
    names = [name for name, _ in cell.named_parameters()]
    cell.load_state_dict({name: leaf.detach() for name, leaf in zip(names, stack.parameters(), strict=True)})
    inputs = torch.randn(4, 3, 2)
    state, expected = torch.zeros(3, 5), []
    for x in inputs:
        state = cell(x, state)
        expected.append(state)
    outputs, _ = stack(inputs)
    torch.testing.assert_close(outputs, torch.stack(expected))
    first, carried = stack(inputs[:2])
    second, _ = stack(inputs[2:], carried)
    torch.testing.assert_close(torch.cat([first, second]), outputs)
    outputs.sum().backward()
    assert all(leaf.grad is not None and bool(leaf.grad.any()) for leaf in stack.parameters())


def test_layers_stand_above_each_other_and_have_about_as_many_parameters_as_the_lstm(maker: LayerMaker) -> None:
    d = maker.hidden_size(2, 1280)
    assert abs(maker.count(2, d) - 1280) <= min(abs(maker.count(2, d + step) - 1280) for step in (-1, 1))
    stack = LayerStack(maker, 2, 4, 2)
    outputs, states = stack(torch.randn(3, 2, 2))
    assert outputs.shape == (3, 2, 4)
    assert len(states) == 2
    lower, _ = stack.layers[0].run(torch.zeros(1, 1, 2), None)
    upper, _ = stack.layers[1].run(lower, None)
    torch.testing.assert_close(stack(torch.zeros(1, 1, 2))[0], upper)


@pytest.mark.deep(
    "tests/unit/benchmarks/test_trained_cell.py::"
    "test_a_layer_is_the_cell_with_the_weights_that_its_constructor_draws_and_goes_on_from_its_states"
)
def test_a_cell_that_is_in_no_list_is_trained_by_its_own_code() -> None:
    unknown = layer_maker(ValidationRequest(f"{HELPERS / 'consistent_cells.py'}:SineCell"))
    assert unknown.spec == ""
    stack = LayerStack(unknown, 2, 5, 1)
    inputs = torch.randn(4, 3, 2)
    cell = SineCell(2, 5)
    names = [name for name, _ in cell.named_parameters()]
    cell.load_state_dict({name: leaf.detach() for name, leaf in zip(names, stack.parameters(), strict=True)})
    h = torch.zeros(3, 5)
    for x in inputs:
        h = cell(x, h)
    torch.testing.assert_close(stack(inputs)[0][-1], h)


@pytest.mark.deep(
    "tests/unit/benchmarks/test_trained_cell.py::"
    "test_layers_stand_above_each_other_and_have_about_as_many_parameters_as_the_lstm"
)
def test_a_cell_learns_beside_the_families(monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(QUICK, training=(TrainingPlan("sentiment", 5, 50), TrainingPlan("carry", 20, 50)))
    monkeypatch.setattr("rnn_harness.benchmarks.QUICK", short)
    do_work_here(monkeypatch)
    options = ["--quick", "--families", "rnn", "--cell", f"{CELLS}:PackedGRU"]
    done = CliRunner().invoke(app, ["bench", "learning", *options])
    assert done.exit_code == 0, done.output
    for name in ("RNN", f"{CELLS}:PackedGRU", f"{CELLS}:PackedGRU, stateful"):
        assert re.search(rf"{re.escape(name)} +\d+ +\d+\.\d+ \[", done.stdout), name
