"""A class with a step and a loss: the step is identified, the gradients are held to the slopes of the loss."""

from __future__ import annotations

import pytest

import rnn_harness
from rnn_harness.records.validation import Validation
from tests.helpers import steps_with_losses

pytestmark = pytest.mark.usefixtures("equations_alone")


def validated(name: str, spec: str = "auto") -> Validation:
    return rnn_harness.validate(vars(steps_with_losses)[name], spec, examples=0, dtypes=("float64",))


@pytest.mark.parametrize("spec", ["auto", "rnn.tanh"])
def test_the_weights_of_scores_beside_the_state_are_no_weights_of_the_cell(spec: str) -> None:
    validation = validated("CharacterModel", spec)
    assert (validation.outcome, validation.spec) == ("agrees", "rnn.tanh")
    assert validation.how_far == ", forward; the gradients of its loss are right"


def test_gradients_of_the_loss_beside_a_step_are_refuted_where_they_are_no_slopes() -> None:
    validation = validated("CharacterModelOfWrongSlope")
    assert (validation.outcome, validation.spec) == ("refuted", "rnn.tanh")
    assert validation.diagnosis is not None
    assert validation.diagnosis.difference.startswith("the gradients of Wxh, Whh, bh are not the slopes")


def test_a_gate_that_comes_back_and_is_not_used_is_forgotten_all_the_same() -> None:
    validation = validated("ScoresAndIdleGate")
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert validation.diagnosis.difference == "the reset gate is not used"
