"""Cells of Equinox whose state is an object with fields are driven by the annotation of its argument."""

from __future__ import annotations

import pytest

from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from tests.helpers import HELPERS


def _outcome(name: str) -> str:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    target = load_target(f"{HELPERS / 'equinox_states.py'}:{name}")
    return collect_validation(name, run_validation(target, request)).outcome


def test_a_state_with_fields_is_made_from_its_states() -> None:
    assert _outcome("StateWithFields") == "agrees"


@pytest.mark.deep("tests/libraries/test_annotated_states.py::test_a_state_with_fields_is_made_from_its_states")
def test_a_gradient_that_is_lost_behind_a_field_is_refuted() -> None:
    assert _outcome("MemoryWithoutGradient") == "refuted"
