"""Stacks: each layer has states of its own, and the outputs are those of the layer and the step that it documents."""

from __future__ import annotations

import pytest

import rnn_harness
from rnn_harness.records.validation import Validation
from rnn_harness.validation.models.judge_model import wiring_statements
from rnn_harness.validation.models.understand import understand
from tests.helpers import HELPERS
from tests.helpers.stacks_of_cells import StepByStepOfFirst

FILE = HELPERS / "stacks_of_cells.py"


def refuted(name: str) -> dict[str, str]:
    """What the wiring of a model is refuted for, by check."""
    statements = wiring_statements(understand(rnn_harness.validation.load_target(f"{FILE}:{name}")))
    return {statement.check: statement.sentence for statement in statements if statement.outcome == "refuted"}


@pytest.mark.parametrize("name", ["LayerByLayer", "ReaderAndWriter", "StepByStep", "LastStep", "BeforeTheEnd"])
def test_a_right_stack_is_not_refuted(name: str) -> None:
    assert refuted(name) == {}


@pytest.mark.parametrize(
    ("name", "check", "sentence"),
    [
        ("LayerFromLayerBelow", "handed-states", "the states are not reset between the layers"),
        ("StepByStepOfFirst", "documented-outputs", "its output is that of cells.0, and the last layer is cells.2"),
        ("StepBeforeLast", "documented-outputs", "of gru it reads step 10 of 11"),
    ],
)
def test_a_wrong_stack_is_refuted_and_the_place_is_named(name: str, check: str, sentence: str) -> None:
    assert sentence in refuted(name)[check]


@pytest.mark.usefixtures("equations_alone")
def test_the_first_layer_of_a_stack_alone_is_not_taken_for_the_cell() -> None:
    validation: Validation = rnn_harness.validate(StepByStepOfFirst, examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.model is not None
