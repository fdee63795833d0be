"""Losses in JAX: gradients that are not the slopes of the loss are refuted, unless they may be meant so."""

from __future__ import annotations

from typing import Any

import pytest

from rnn_harness.validation.cells.loss_function import LossFunction
from rnn_harness.validation.consistency.consistency_property import Violation
from rnn_harness.validation.consistency.loss_properties import loss_questions
from rnn_harness.validation.loading.jax_losses import jax_loss


def _function(name: str) -> Any:
    pytest.importorskip("jax")
    from tests.helpers import jax_losses

    return vars(jax_losses)[name]


def _violation(loss: LossFunction) -> Violation | None:
    (gradients,) = (question for question in loss_questions(loss) if question.name == "loss-gradients")
    answer = gradients.ask(1)
    return answer if isinstance(answer, Violation) else None


@pytest.mark.deep("tests/unit/validation/test_torch_losses.py::test_of_a_wrong_loss_the_fault_is_named")
@pytest.mark.parametrize("name", ["loss", "loss_of_batch"])
def test_the_gradients_of_a_right_loss_are_its_slopes(name: str) -> None:
    loss = jax_loss(_function(name))
    assert loss is not None
    assert len(loss.state_shapes) == (name == "loss")
    assert _violation(loss) is None


@pytest.mark.deep("tests/unit/validation/test_torch_losses.py::test_of_a_wrong_loss_the_fault_is_named")
def test_a_gradient_that_stops_against_the_documentation_is_named() -> None:
    loss = jax_loss(_function("stopped"))
    assert loss is not None
    violation = _violation(loss)
    assert violation is not None
    assert "the gradients of U, W are not the slopes of its own loss" in violation.sentence


def test_a_gradient_that_stops_on_purpose_is_not_judged() -> None:
    assert jax_loss(_function("stopped_on_purpose")) is None


@pytest.mark.deep("tests/unit/validation/test_torch_losses.py::test_of_a_wrong_loss_the_fault_is_named")
@pytest.mark.parametrize("name", ["loss_of_labels", "loss_of_ones", "stopped_loss_of_labels"])
def test_with_one_target_for_each_row_steps_are_not_taken_for_rows(name: str) -> None:
    loss = jax_loss(_function(name))
    assert loss is not None
    assert loss.inputs.axes == "1T"
    assert bool(_violation(loss)) is (name == "stopped_loss_of_labels")
