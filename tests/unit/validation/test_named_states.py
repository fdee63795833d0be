"""States that a cell takes and gives by names are told by them, in any order."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.specs import Spec
from rnn_harness.validation.judging.own_specs import load_spec_file, state_names_of
from rnn_harness.validation.judging.spec_file import SpecCandidate, UntiedParameters, spec_file_candidate
from rnn_harness.validation.loading.joined_states import joined_states
from rnn_harness.validation.loading.target import target_of
from tests.helpers import named_states


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    path = tmp_path / "three.toml"
    path.write_text(named_states.SPEC)
    assert state_names_of(str(path)) == ("h", "c", "s")
    return load_spec_file(str(path))


def _candidate(name: str, spec: Spec) -> SpecCandidate:
    target = target_of(name, getattr(named_states, name), state_names=tuple(spec.model.states))
    return spec_file_candidate(target, spec, ("float64",))


@pytest.mark.parametrize("name", ["InADictionary", "Unpacked", "ByKeyword", "AsFields", "BackInAnotherOrder"])
def test_a_right_cell_whose_states_have_names_equals_its_spec(name: str, spec: Spec) -> None:
    assert _candidate(name, spec).match is not None


@pytest.mark.parametrize("name", ["WrongInADictionary", "WrongByKeyword", "WrongAsFields"])
def test_a_wrong_cell_whose_states_have_names_is_told_its_equation(name: str, spec: Spec) -> None:
    candidate = _candidate(name, spec)
    diagnosis = candidate.diagnosis()
    assert candidate.match is None
    assert diagnosis is not None
    assert diagnosis.difference.startswith("T-2: c[t-1] stands where c should")


def test_fields_that_are_filled_in_another_order_are_no_way_of_calling(spec: Spec) -> None:
    with pytest.raises(UntiedParameters):
        _candidate("ExchangedFields", spec)


def test_keys_that_no_source_shows_are_those_of_the_equations() -> None:
    cell = named_states.Unpacked(5, 3)
    assert joined_states(cell, 3, 5) is None
    joined = joined_states(cell, 3, 5, ("h", "c", "s"))
    assert joined is not None
    assert (joined.handing.names, joined.places) == (("h", "c", "s"), (0, 1, 2))


def test_states_of_a_wrong_cell_with_the_spec_s_parameters_are_taken_in_the_order_that_is_nearest(spec: Spec) -> None:
    candidate = _candidate("NamedAsTheEquations", spec)
    assert candidate.match is None
    assert candidate.states == ("s", "h", "c")


def test_a_size_without_a_length_is_wrong_use_and_no_error_of_the_harness(tmp_path: Path) -> None:
    path = tmp_path / "k.toml"
    path.write_text(named_states.SPEC.replace('s = "d"', 's = "k"'))
    with pytest.raises(UsageError, match=r'has the size k.*sizes = \{ m = "2d" \}'):
        load_spec_file(str(path))
