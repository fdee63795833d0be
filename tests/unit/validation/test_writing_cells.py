"""Cells that write into the states that they are given: a fault where numbers change, and none where none does."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rnn_harness.kernels.packing import Table
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.cells.calling_convention import plain_convention
from rnn_harness.validation.loading.driver import TargetDriver
from tests.helpers import writing_cells
from tests.helpers.writing_cells import ClearsWhereDone, Halves


def driver_of(cell: type[ClearsWhereDone | Halves]) -> TargetDriver:
    """What drives a cell of one state."""
    return TargetDriver(cell, replace(plain_convention(False, 1), taken=(0,)), Table({}), ("h",))


@pytest.mark.parametrize(("cell", "factor"), [(ClearsWhereDone, 1.0), (Halves, 0.5)])
def test_a_cell_may_write_into_its_state_where_gradients_of_it_are_wanted(
    cell: type[ClearsWhereDone | Halves], factor: float
) -> None:
    torch.manual_seed(0)
    gru = torch.nn.GRUCell(5, 3).double()
    leaves: dict[str, torch.Tensor] = {f"cell.{name}": value for name, value in gru.named_parameters()}
    inputs, state = (torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in ((1, 7, 5), (7, 3)))
    given = state.detach().clone().requires_grad_()
    (expected,) = torch.autograd.grad(gru(inputs[0], factor * given).sum(), [given])
    outputs, _ = driver_of(cell).run(leaves, inputs, {"h": state}, None)
    (gradient,) = torch.autograd.grad(outputs.sum(), [state])
    assert torch.allclose(gradient, expected, rtol=1e-12)
    assert torch.equal(state, factor * given)


@pytest.mark.deep(
    "tests/unit/validation/test_writing_cells.py::test_a_cell_may_write_into_its_state_where_gradients_of_it_are_wanted"
)
@pytest.mark.usefixtures("in_process", "in_float64")
@pytest.mark.parametrize(
    ("name", "outcome"), [("ClearsWhereDone", "agrees"), ("ClearsInALayer", "agrees"), ("Halves", "refuted")]
)
def test_a_state_that_is_changed_is_a_fault_and_one_that_is_cleared_in_no_row_is_none(name: str, outcome: str) -> None:
    target = load_target(f"{writing_cells.__file__}:{name}")
    validation = collect_validation(name, run_validation(target, ValidationRequest(examples=0)))
    assert validation.outcome == outcome
