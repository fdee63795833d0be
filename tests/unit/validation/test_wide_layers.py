"""Layers of another width than their hidden size are driven, and a half of theirs that lies in wrong order is named."""

from __future__ import annotations

import pytest

from rnn_harness.validation import Target, ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.consistency.consistency_property import Draw
from rnn_harness.validation.consistency.driven_cell import make_cell, numbered_states
from rnn_harness.validation.consistency.time_properties import TIME_PROPERTIES
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.wider_outputs import target_of_wider_outputs
from tests.helpers import HELPERS

ORDER = next(prop for prop in TIME_PROPERTIES if prop.name == "order-of-steps")


def _target(name: str) -> Target:
    return load_target(f"{HELPERS / 'wide_layers.py'}:{name}")


def _wide(name: str) -> Target:
    """The target at the width of its outputs; one of NumPy arrays has it already."""
    target = _target(name)
    if target.capabilities.library == "NumPy":
        return target
    wide = target_of_wider_outputs(target)
    assert wide is not None
    return wide


@pytest.mark.parametrize(("name", "width"), [("BothDirections", 6), ("ProjectedLSTM", 4), ("NumpyBothDirections", 6)])
def test_outputs_of_another_width_are_driven(name: str, width: int) -> None:
    target = _wide(name)
    assert target.capabilities.fixed_sizes is not None
    assert target.capabilities.fixed_sizes.hidden_size == width
    assert probe_target(target).convention.sequence


@pytest.mark.parametrize(
    ("name", "is_wrong"),
    [
        ("BothDirections", False),
        ("NotTurnedBack", True),
        ("NumpyBothDirections", False),
        ("NumpyNotTurnedBack", True),
    ],
)
def test_a_direction_that_is_not_turned_back_is_named(name: str, is_wrong: bool) -> None:
    target = _wide(name)
    probe = probe_target(target)
    states = numbered_states(probe.convention)
    cell = make_cell(target.make_module, target.capabilities, probe.convention, probe.sizes, "float64", states)
    violation = ORDER.decide(Draw(cell, 1))
    assert (violation is not None) is is_wrong
    assert violation is None or "the second half of the outputs is not in the order of the other" in violation.sentence


def test_a_layer_that_can_be_driven_as_it_is_has_no_other_width() -> None:
    assert target_of_wider_outputs(_target("IndRNNCell")) is None


@pytest.mark.deep("tests/unit/validation/test_wide_layers.py::test_outputs_of_another_width_are_driven")
@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("ProjectedLSTM", "agrees", ""),
        ("BothDirections", "consistent", ""),
        ("IndRNNStack", "agrees", ""),
        ("IndRNNOfOneObject", "refuted", "the 2 layers cells.1 and cells.2 are one object"),
        ("NotTurnedBack", "refuted", "the second half of the outputs"),
    ],
)
def test_wide_and_deep_layers_are_judged(name: str, outcome: str, words: str) -> None:
    target = _target(name)
    verdict = collect_validation(name, run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    assert verdict.outcome == outcome
    assert words in (verdict.diagnosis.sentence() if verdict.diagnosis else "")
