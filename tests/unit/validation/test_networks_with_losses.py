"""Networks with a loss of outputs and a target, losses of a vector with its sizes, and cells with inputs beside x."""

from __future__ import annotations

import pytest

from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.identification.probe import probe_target
from tests.helpers import HELPERS

FILE = HELPERS / "networks_with_losses.py"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Columns", ""),
        ("ColumnsOfOneStep", "the gradients of b_rec are not the slopes of its own loss"),
        ("Classes", ""),
        ("ClassesOfWrongSlope", "the gradients of params/Wx, params/Wh are not the slopes of its own loss"),
        ("cost", ""),
        ("cost_that_forgets", "the gradients of theta are not the slopes of its own loss"),
    ],
)
def test_gradients_are_held_to_the_slopes_of_the_loss(name: str, reason: str) -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    verdict = collect_validation(name, run_validation(load_target(f"{FILE}:{name}"), request))
    (record,) = [record for record in verdict.checks if record.check == "consistency.loss-gradients"]
    assert record.outcome == ("refuted" if reason else "agrees")
    assert reason in record.reason


def test_inputs_beside_x_are_no_weights() -> None:
    target = load_target(f"{FILE}:gap_step")
    shapes = {name: tuple(value.shape) for name, value in target.make_module(4, 7).named_parameters()}
    assert shapes == {"decay": (4, 7), "W": (4, 7), "U": (7, 7), "V": (4, 7)}
    assert "m = 0.6, delta = 0.35, x_last = 0.8" in target.capabilities.notes[0]


def test_what_a_layer_saw_last_is_no_state_that_it_must_give_back() -> None:
    target = load_target(f"{FILE}:GapLayer")
    assert probe_target(target).convention.states == 1
    verdict = collect_validation("GapLayer", run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    assert verdict.outcome == "consistent"
    reasons = {record.check: record.reason for record in verdict.checks}
    assert "further inputs beside x" in reasons["consistency.split-sequence"]
    assert "further inputs beside x" in reasons["consistency.step-method"]
