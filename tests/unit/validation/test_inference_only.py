"""What switches gradients off is made for inference: its forward is judged, and that it has no gradients is said."""

from __future__ import annotations

import rnn_harness
from rnn_harness.validation import Validation
from tests.helpers import inference_cells


def _validate(cell: type) -> Validation:
    return rnn_harness.validate(cell, examples=0, dtypes=("float64",))


def test_of_a_layer_under_no_grad_the_forward_is_judged_alone() -> None:
    validation = _validate(inference_cells.Inference)
    assert validation.outcome == "agrees"
    assert "forward; no gradient was decided" in str(validation)
    assert "made for inference" in str(validation)


def test_a_wrong_layer_under_no_grad_is_refuted_by_its_forward() -> None:
    validation = _validate(inference_cells.WrongInference)
    assert validation.outcome == "refuted"


def test_a_layer_that_detaches_its_outputs_is_refuted_by_its_gradients() -> None:
    validation = _validate(inference_cells.Detached)
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert validation.diagnosis.part.startswith("backward")
