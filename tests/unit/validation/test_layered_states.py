"""Layers that are not rows: a stack whose states are one tensor is not refuted for mixing the rows of a batch."""

from __future__ import annotations

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.records.validation import Validation
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from tests.helpers import HELPERS


def _validate(name: str) -> Validation:
    target = load_target(f"{HELPERS / 'layered_states.py'}:{name}")
    return collect_validation(name, run_validation(target, ValidationRequest(examples=0, dtypes=("float64",))))


def test_a_stack_that_wants_its_states_says_of_how_many_layers_they_are() -> None:
    with pytest.raises(UsageError, match=r"its states have shape \(3, B, d\), for 3 layers, .* --init num_layers=1"):
        _validate("StackThatWantsItsStates")


def test_a_stack_that_makes_its_states_itself_is_consistent() -> None:
    validation = _validate("StackOfTwo")
    assert validation.outcome == "consistent", str(validation)


@pytest.mark.deep(
    "tests/unit/validation/test_layered_states.py::test_a_stack_that_makes_its_states_itself_is_consistent"
)
def test_a_stack_of_three_that_makes_its_states_itself_is_consistent() -> None:
    validation = _validate("Stack")  # the search for what its six matrices may be takes long
    assert validation.outcome == "consistent", str(validation)


def test_a_layer_that_mixes_the_rows_of_its_state_is_refuted() -> None:
    validation = _validate("MixesRowsOfItsState")
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "rows of a batch are mixed" in validation.diagnosis.difference


@pytest.mark.parametrize(("name", "outcome"), [("StepOfAStack", "consistent"), ("StepOfOneLayer", "agrees")])
def test_a_step_whose_state_holds_its_layers_is_not_refuted_for_mixing_rows(name: str, outcome: str) -> None:
    validation = _validate(name)
    assert validation.outcome == outcome, str(validation)
