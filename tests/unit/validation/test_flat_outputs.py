"""An output that is no state may come back in any place beside the states: the equations tell which tensor it is."""

from __future__ import annotations

import pytest

from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.identification.output_readings import output_readings
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.library_match import library_match_in_any_reading
from rnn_harness.validation.loading.target import Target
from tests.helpers import HELPERS

pytestmark = pytest.mark.usefixtures("equations_alone")


def _target(name: str, file: str = "flat_outputs.py") -> Target:
    return load_target(f"{HELPERS / file}:{name}")


@pytest.mark.parametrize(
    ("name", "outputs"), [("OutputFirst", [2, 0, 1]), ("OutputLast", [2, 0, 1]), ("RectifiedBehindState", [0, 1])]
)
def test_any_of_what_comes_back_may_be_the_output_where_none_repeats_another(name: str, outputs: list[int]) -> None:
    conventions = [reading.convention for reading in output_readings(probe_target(_target(name)))]
    assert [convention.output_place for convention in conventions] == outputs
    places = set(range(len(outputs)))
    assert all({*convention.taken} == places - {convention.output_place} for convention in conventions)


@pytest.mark.parametrize("name", ["HiddenState", "CellState"])
def test_an_output_that_repeats_a_state_is_read_in_one_way(name: str) -> None:
    assert len(list(output_readings(probe_target(_target(name, "outputs_beside_states.py"))))) == 1


@pytest.mark.parametrize(("name", "place"), [("OutputFirst", 0), ("OutputLast", 2)])
def test_the_shipped_cell_is_found_wherever_its_output_stands(name: str, place: int) -> None:
    reading, match = library_match_in_any_reading(probe_target(_target(name)))
    assert match is not None
    assert (match.spec.id, reading.convention.output_place) == ("mclstm", place)


DEEP = pytest.mark.deep(
    "tests/unit/validation/test_flat_outputs.py::test_a_cell_is_judged_by_its_spec_wherever_its_output_stands"
)


@pytest.mark.parametrize(
    ("name", "spec", "outcome", "equation"),
    [
        ("OutputFirst", "mclstm", "agrees", ""),
        pytest.param("OutputLast", "mclstm", "agrees", "", marks=DEEP),
        pytest.param("OutputBetween", "mclstm", "agrees", "", marks=DEEP),
        pytest.param("WrongShowingFirst", "mclstm", "refuted", "mclstm-7", marks=DEEP),
        pytest.param("WrongMemoryFirst", "mclstm", "refuted", "mclstm-1", marks=DEEP),
        pytest.param("WrongOutputLast", "mclstm", "refuted", "mclstm-7", marks=DEEP),
        pytest.param("CrossingOutputFirst", "intersection", "agrees", "", marks=DEEP),
        pytest.param("CrossingStateFirst", "intersection", "agrees", "", marks=pytest.mark.all_checks),
        ("WrongCrossingOutputFirst", "intersection", "refuted", "intersection-5"),
    ],
)
def test_a_cell_is_judged_by_its_spec_wherever_its_output_stands(
    name: str, spec: str, outcome: str, equation: str
) -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0, spec=spec)
    validation = collect_validation(name, run_validation(_target(name), request))
    assert validation.outcome == outcome, validation.diagnosis
    assert equation in ("" if validation.diagnosis is None else validation.diagnosis.sentence())


@pytest.mark.deep(
    "tests/unit/validation/test_flat_outputs.py::test_a_cell_is_judged_by_its_spec_wherever_its_output_stands"
)
def test_a_wrong_state_in_front_of_the_output_is_refuted() -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0, spec="intersection")
    name = "WrongCrossingStateFirst"
    assert collect_validation(name, run_validation(_target(name), request)).outcome == "refuted"
