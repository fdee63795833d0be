"""Cells with states of two widths, and an output that is none of them, are found by the equations of the output too."""

from __future__ import annotations

import pytest

from rnn_harness.cases.case import Case
from rnn_harness.specs.literature_cells import literature
from rnn_harness.specs.spec import Spec
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.candidate_judge import judge_case
from rnn_harness.validation.judging.spec_file import spec_file_candidate
from rnn_harness.validation.loading.joined_states import joined_states
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch
from tests.helpers import quasi_recurrent


def _qrnn() -> Spec:
    return next(spec for spec in literature() if spec.id == "qrnn")


@pytest.mark.parametrize(("name", "states"), [("QuasiCell", ("c", "v")), ("QuasiCellApart", ("v", "c"))])
def test_a_cell_with_an_output_beside_states_of_two_widths_is_found(name: str, states: tuple[str, ...]) -> None:
    probe = probe_target(target_of(name, getattr(quasi_recurrent, name)))
    match = TargetSearch(probe).match_spec(_qrnn())
    assert match is not None
    assert (match.states, match.table.absent) == (states, ())


@pytest.mark.parametrize(("name", "equation"), [("QuasiCellOfOldInput", "qrnn-6"), ("QuasiCellOfTwoTanh", "qrnn-5")])
def test_its_mistakes_are_named_those_of_its_output_too(name: str, equation: str) -> None:
    probe = probe_target(target_of(name, getattr(quasi_recurrent, name)))
    found = faulty_match(TargetSearch(probe), _qrnn())
    assert found is not None
    assert found.rewrite.equations == (equation,)


@pytest.mark.parametrize(("name", "is_right"), [("QuasiCell", True), ("QuasiCellOfTwoTanh", False)])
def test_its_output_is_what_the_checks_judge(name: str, is_right: bool) -> None:
    candidate = spec_file_candidate(target_of(name, getattr(quasi_recurrent, name)), _qrnn(), ("float64",))
    case = Case(spec="qrnn", dtype="float64", T=3, n=candidate.probe.sizes[0], d=3)
    finding = judge_case(candidate.kernel, "precision.format", case)
    assert finding is not None
    assert finding.agrees is is_right


@pytest.mark.parametrize(("name", "has_output"), [("QuasiCell", True), ("QuasiCellThatShowsItsCell", False)])
def test_an_output_that_repeats_a_state_is_none(name: str, has_output: bool) -> None:
    joined = joined_states(getattr(quasi_recurrent, name)(5, 3), 3, 5)
    assert joined is not None
    assert (joined.widths, joined.output_place == 0) == ((3, 5), has_output)
