"""What a step gives besides its states is no part of any equation: where it is not the hidden state, that is told."""

from __future__ import annotations

import pytest

from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.identification.state_order import (
    EXCHANGED_STEPS,
    KEPT_STATE,
    with_exchanged_steps,
    with_output_as_state,
)
from rnn_harness.validation.judging.function_checks import diagnose_no_function
from rnn_harness.validation.judging.library_match import library_match
from rnn_harness.validation.judging.output_beside_states import ANOTHER_STATE, NO_STATE, note_on_output
from rnn_harness.validation.loading.target import Target
from tests.helpers import HELPERS


def _target(name: str) -> Target:
    return load_target(f"{HELPERS / 'outputs_beside_states.py'}:{name}")


def _probe(name: str) -> Probe:
    return probe_target(_target(name))


@pytest.mark.parametrize(
    ("name", "note"), [("HiddenState", ()), ("CellState", (ANOTHER_STATE,)), ("NoState", (NO_STATE,))]
)
def test_an_output_that_is_not_the_hidden_state_is_told(name: str, note: tuple[str, ...]) -> None:
    assert note_on_output(_probe(name), ("h", "c")) == note


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("OldStateBesideNewOutput", KEPT_STATE), ("LayerThatExchangesItsStates", EXCHANGED_STEPS)],
)
def test_a_cell_that_carries_another_state_than_it_computes_is_refuted(name: str, sentence: str) -> None:
    validation = collect_validation(name, run_validation(_target(name), ValidationRequest(dtypes=("float64",))))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert validation.diagnosis.sentence() == f"equals lstm.column, but {sentence}"


@pytest.mark.parametrize("name", ["HiddenState", "CellState", "NoState", "LayerOfSteps"])
def test_no_state_of_a_right_cell_is_taken_for_another(name: str) -> None:
    target, probe = _target(name), _probe(name)
    assert not with_exchanged_steps(target, probe)
    assert not with_output_as_state(target, probe)


def test_a_state_in_an_argument_of_its_own_that_comes_back_as_it_was_is_refuted() -> None:
    diagnosis = diagnose_no_function(_probe("OldStateInAnArgument"), "it")
    assert diagnosis is not None
    assert diagnosis.part == "forward: new state"


CONTEXTS = ["GatesReadAnEncoding", "ConditionedOnASpeaker", "GatedByAGoal"]


@pytest.mark.parametrize("name", CONTEXTS)
def test_what_gates_read_in_the_place_of_a_state_may_stay_as_it_is(name: str) -> None:
    target, probe = _target(name), _probe(name)
    assert probe.keeps_a_state()
    assert diagnose_no_function(probe, "it") is None
    assert not with_output_as_state(target, probe)
    assert library_match(probe) is None


@pytest.mark.deep(
    "tests/unit/validation/test_output_beside_states.py::test_what_gates_read_in_the_place_of_a_state_may_stay_as_it_is"
)
@pytest.mark.parametrize("name", CONTEXTS)
def test_no_check_refutes_what_reads_a_context(name: str) -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation(name, run_validation(_target(name), request))
    assert validation.outcome != "refuted", validation.diagnosis
