"""Cells whose own weights hide what they do, with ReLU units that are off or weights of zero: driven all the same."""

from __future__ import annotations

import pytest
import torch

import rnn_harness
from rnn_harness.validation import load_target
from rnn_harness.validation.consistency.driven_cell import make_cell
from rnn_harness.validation.consistency.parameter_properties import unused_parameters
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.find_convention import find_convention
from tests.helpers import silent_weights


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("SimpleLayer", "batch first"),
        ("IndependentLayer", "time first"),
        ("FromZero", "batch first"),
        ("RecurrentFromZero", "batch first"),
        ("SequenceWithState", "time first"),
    ],
)
def test_the_axis_of_time_is_found_whatever_the_constructor_draws(name: str, order: str) -> None:
    for seed in range(8):
        torch.manual_seed(seed)
        layer = getattr(silent_weights, name)(5, 3).double().eval()
        assert order in str(find_convention(layer, 5, 3)), seed


DEEP = pytest.mark.deep("tests/unit/validation/test_silent_weights.py::test_a_right_cell_with_silent_weights_agrees")


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        pytest.param("IndependentStep", "indrnn.relu", marks=DEEP),
        ("IndependentLayer", "indrnn.relu"),
        ("SimpleLayer", ""),
        ("FromZero", "rnn.tanh"),
        pytest.param("RecurrentFromZero", "rnn.tanh", marks=DEEP),
        pytest.param("SequenceWithState", "rnn.tanh", marks=DEEP),
    ],
)
def test_a_right_cell_with_silent_weights_agrees(name: str, spec: str) -> None:
    validation = rnn_harness.validate(getattr(silent_weights, name), examples=0, dtypes=("float64",))
    assert validation.outcome == "agrees"
    assert spec in (validation.spec or "")


@pytest.mark.parametrize("seed", range(3))
def test_a_parameter_behind_units_that_are_off_is_not_called_unused(seed: int) -> None:
    target = load_target(f"{silent_weights.__file__}:IndependentLayer")
    convention = probe_target(target).convention
    cell = make_cell(target.make_module, target.capabilities, convention, (5, 3), "float64", ("state",))
    assert unused_parameters(cell, cell.arguments(3, 3, seed)) == ()
