"""The states of a step are found whatever they are called: by what it calls its results, and by how many there are."""

from __future__ import annotations

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.specs.literature_cells import literature
from rnn_harness.specs.spec import Spec
from rnn_harness.validation import load_target
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch
from tests.helpers import HELPERS


def _probe(name: str) -> Probe:
    return probe_target(load_target(f"{HELPERS / 'letters_of_states.py'}:{name}"))


def _spec(name: str) -> Spec:
    return next(spec for spec in literature() if spec.id == name)


@pytest.mark.parametrize("name", ["oscillators", "oscillators_turned", "oscillators_without_names"])
def test_the_states_of_a_step_are_found_whatever_they_are_called(name: str) -> None:
    probe = _probe(name)
    match = TargetSearch(probe).match_spec(_spec("cornn"))
    assert match is not None
    assert match.states == ("y", "z"), "its states go in as y, z; those that come back in another order are turned"
    assert set(probe.parameters) == {"W", "Wy", "Wz", "b"} or "Wp" in probe.parameters


def test_the_equation_of_a_wrong_step_is_named_whatever_its_states_are_called() -> None:
    found = faulty_match(TargetSearch(_probe("oscillators_with_the_old_velocity")), _spec("cornn"))
    assert found is not None
    assert found.rewrite.equations == ("cornn-2",)


@pytest.mark.deep(
    "tests/unit/validation/test_letters_of_states.py::test_the_states_of_a_step_are_found_whatever_they_are_called"
)
def test_a_function_of_torch_tensors_is_driven_with_the_states_that_it_gives_back() -> None:
    match = TargetSearch(_probe("long_memory")).match_spec(_spec("lem"))
    assert match is not None
    assert (match.states, match.table.absent) == (("y", "z"), ("k",))


def test_a_weight_is_no_state_where_an_output_is_given_beside_the_state() -> None:
    probe = _probe("gru_with_a_gain")
    assert (probe.convention.states, "gamma" in probe.parameters) == (1, True)


def test_a_function_of_more_states_than_are_driven_is_told_how_it_can_be() -> None:
    with pytest.raises(UsageError, match=r"it has the states h, c, n, m, .* takes and gives them as one tuple"):
        _probe("four_states")


def test_a_mistake_is_named_in_the_order_of_states_in_which_it_is_one_mistake() -> None:
    found = faulty_match(TargetSearch(_probe("OtherGateInLongMemory")), _spec("lem"))
    assert found is not None
    assert (found.states, found.rewrite.equations) == (("y", "z"), ("lem-4",))
