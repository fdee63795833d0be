"""Losses of sequences of numbers are driven in the layout that they take, and their gradients are judged."""

from __future__ import annotations

import pytest

from rnn_harness.validation.consistency.consistency_property import Violation
from rnn_harness.validation.consistency.loss_properties import loss_questions
from rnn_harness.validation.loading.find_losses import loss_of_function
from rnn_harness.validation.loading.loss_calls import LossCall
from rnn_harness.validation.loading.loss_forms import LossForm
from tests.helpers import losses_of_numbers as losses


def found(name: str) -> LossCall:
    call = loss_of_function(name, getattr(losses, name))
    assert call is not None
    return call


def violation(name: str) -> str:
    """What is said of its gradients where they are no slopes; empty where they are."""
    ask = next(question.ask for question in loss_questions(found(name)) if question.name == "loss-gradients")
    answer = ask(0)
    return answer.sentence if isinstance(answer, Violation) else ""


def test_squared_errors_of_all_steps_take_vectors_of_the_inputs_layout() -> None:
    form = found("squared_error").form
    assert form.takes_numbers
    assert form.targets == "numbers"


def test_a_class_for_each_row_is_found_where_weights_are_arguments() -> None:
    form = found("loss_of_classes").form
    assert (form.inputs, form.targets) == ("time first", "one class")


def test_a_flat_vector_takes_the_widths_for_which_it_was_made() -> None:
    assert found("loss_of_vector").form == LossForm("rows", 5, "numbers", 8)


@pytest.mark.parametrize("name", ["squared_error", "loss_of_classes", "loss_of_vector"])
def test_right_gradients_of_a_loss_of_numbers_break_nothing(name: str) -> None:
    assert violation(name) == ""


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("squared_error_of_next_states", "params/U"),
        ("loss_of_classes_without_slope", "Wx, Wh"),
        ("loss_of_vector_on_the_wrong_side", "theta"),
    ],
)
def test_a_wrong_gradient_of_a_loss_of_numbers_is_named(name: str, parameters: str) -> None:
    assert violation(name).startswith(f"the gradients of {parameters} are not the slopes of its own loss")
