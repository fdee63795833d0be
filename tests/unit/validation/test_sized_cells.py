"""Cells with widths of their own are judged by their equations: states side by side, narrow matrices, a window."""

from __future__ import annotations

import pytest
from torch import nn

from rnn_harness.specs import Spec, literature
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.judging.library_match import library_match
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch
from tests.helpers import sized_cells

_SLOW = pytest.mark.deep("tests/unit/validation/test_sized_cells.py::test_of_a_wrong_one_the_equation_is_named")

RIGHT = {
    sized_cells.Projected: ("lstm.recurrent_projection", {"m": "3"}),  # as it is made
    sized_cells.Nested: ("lstm.nested", {}),
    sized_cells.Context: ("scrn", {"m": "2"}),
    sized_cells.LowRank: ("fastgrnn.low_rank", {"p": "2", "q": "1"}),
    sized_cells.Convolved: ("qrnn", {}),
}


def _probe(cell: type[nn.Module]) -> Probe:
    return probe_target(load_target(f"{sized_cells.__file__}:{cell.__name__}"))


def _spec(name: str) -> Spec:
    return next(spec for spec in literature() if spec.id == name)


@pytest.mark.parametrize("cell", RIGHT, ids=lambda cell: cell.__name__)
def test_a_right_cell_is_its_spec_with_the_widths_that_it_has(cell: type[nn.Module]) -> None:
    name, sizes = RIGHT[cell]
    match = TargetSearch(_probe(cell)).match_spec(_spec(name))
    assert match is not None
    assert match.spec.model.sizes == sizes


def test_a_cell_that_is_made_of_equal_sizes_alone_is_tried_in_those_and_that_is_told() -> None:
    target = load_target(f"{sized_cells.__file__}:Skipping")
    sizes = target.capabilities.fixed_sizes
    assert sizes is not None
    assert sizes.input_size == sizes.hidden_size
    assert any("only where its input size equals its hidden size" in note for note in target.capabilities.notes)
    assert TargetSearch(probe_target(target)).match_spec(_spec("sru")) is not None


def test_states_of_arrays_are_of_one_width_where_another_is_not_driven() -> None:
    probe = probe_target(load_target(f"{sized_cells.__file__}:ContextOfArrays"))
    match = TargetSearch(probe).match_spec(_spec("scrn"))
    assert match is not None
    assert "alpha = 0.9 (0.95 in its spec)" in match.sentence()


@pytest.mark.deep(
    "tests/unit/validation/test_sized_cells.py::test_a_right_cell_is_its_spec_with_the_widths_that_it_has"
)
@pytest.mark.parametrize("cell", RIGHT, ids=lambda cell: cell.__name__)
def test_no_other_cell_of_the_literature_is_taken_for_it(cell: type[nn.Module]) -> None:
    match = library_match(_probe(cell))
    assert match is not None
    assert match.spec.id == RIGHT[cell][0]


@pytest.mark.parametrize(
    ("cell", "name", "part", "words"),
    [
        pytest.param(
            sized_cells.ProjectedWithoutGate,
            "lstm.recurrent_projection",
            "6",
            "tanh(c) is not multiplied by o",
            marks=_SLOW,
        ),
        pytest.param(
            sized_cells.ProjectedOutside,
            "lstm.recurrent_projection",
            "6",
            "tanh is applied behind P and not before it",
            marks=_SLOW,
        ),
        pytest.param(
            sized_cells.NestedWithoutForgetting, "lstm.nested", "6", "c[t-1] is not multiplied by f", marks=_SLOW
        ),
        (sized_cells.ContextBefore, "scrn", "2", "s[t-1] stands where s should"),
        (sized_cells.LowRankWithoutComplement, "fastgrnn.low_rank", "3", "z stands where 1 - z should"),
        pytest.param(sized_cells.ConvolvedWithoutComplement, "qrnn", "4", "z is not multiplied by 1 - f", marks=_SLOW),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_of_a_wrong_one_the_equation_is_named(cell: type[nn.Module], name: str, part: str, words: str) -> None:
    found = faulty_match(TargetSearch(_probe(cell)), _spec(name))
    assert found is not None
    diagnosis = found.diagnosis()
    assert diagnosis.part == f"forward: {name}-{part}"
    assert words in diagnosis.difference


@pytest.mark.deep(
    "tests/unit/validation/test_sized_cells.py::test_a_right_cell_is_its_spec_with_the_widths_that_it_has"
)
@pytest.mark.parametrize("cell", RIGHT, ids=lambda cell: cell.__name__)
def test_a_right_cell_agrees_in_every_check(cell: type[nn.Module]) -> None:
    target = load_target(f"{sized_cells.__file__}:{cell.__name__}")
    request = ValidationRequest(spec=RIGHT[cell][0], dtypes=("float64", "float32"), examples=0)
    validation = collect_validation(cell.__name__, run_validation(target, request))
    assert validation.outcome == "agrees"


@_SLOW
def test_a_cell_that_is_wrong_in_one_of_its_joined_states_is_refuted() -> None:
    target = load_target(f"{sized_cells.__file__}:ContextBefore")
    validation = collect_validation("ContextBefore", run_validation(target, ValidationRequest(spec="scrn", examples=0)))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "s[t-1] stands where s should" in validation.diagnosis.sentence()


def test_sizes_that_the_user_gives_are_said_to_be_the_only_ones() -> None:
    target = load_target("torch.nn:GRUCell", {"input_size": 4, "hidden_size": 6})
    assert any("no sizes but 4 inputs and 6 units are tried" in note for note in target.capabilities.notes)
    assert load_target("torch.nn:GRUCell").capabilities.notes == ()
