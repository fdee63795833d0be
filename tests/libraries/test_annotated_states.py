"""Cells of Equinox whose state is an object with fields are driven by the annotation of its argument."""

from __future__ import annotations

import pytest

from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from tests.helpers import HELPERS


@pytest.mark.parametrize(("name", "outcome"), [("StateWithFields", "agrees"), ("MemoryWithoutGradient", "refuted")])
def test_a_state_with_fields_is_made_from_its_states(name: str, outcome: str) -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    target = load_target(f"{HELPERS / 'equinox_states.py'}:{name}")
    assert collect_validation(name, run_validation(target, request)).outcome == outcome
