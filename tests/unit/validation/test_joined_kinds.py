"""Contexts beside an input, matrices among states, states in space and agents in an axis are driven and judged."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rnn_harness.records.events import RecordMade
from rnn_harness.records.validation import Validation
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.joined_in_space import joined_in_space
from rnn_harness.validation.loading.joined_inputs import joined_inputs
from rnn_harness.validation.loading.joined_states import joined_states
from tests.helpers import HELPERS
from tests.helpers import joined_kinds as cells

pytestmark = pytest.mark.usefixtures("equations_alone")

FILE = HELPERS / "joined_kinds.py"


def _verdict(name: str) -> Validation:
    target = load_target(f"{FILE}:{name}")
    return collect_validation(name, run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))


def test_contexts_as_wide_as_the_state_are_inputs_beside_the_others() -> None:
    joined = joined_inputs(cells.GatesWithContext(3, 5), CellSizes(5, 3))
    assert joined is not None
    assert joined.inputs == ("cz", "cr", "cq", "x_list")
    assert joined.widths == [3, 3, 3, 5]
    assert joined.sizes == (14, 3)


def test_a_call_with_contexts_is_the_call_of_the_cell() -> None:
    cell = cells.GatesWithContext(3, 5)
    joined = joined_inputs(cell, CellSizes(5, 3))
    assert joined is not None
    h, x, contexts = torch.randn(2, 3), torch.randn(2, 5), torch.randn(3, 2, 3)
    given = joined.wrap(cell)(torch.cat([*contexts, x], -1), h)
    torch.testing.assert_close(given, cell(h, *contexts, x))


def test_contexts_of_a_convolutional_cell_lie_in_space() -> None:
    cell = cells.ConvolvedGatesWithContext(3, 5)
    joined = joined_in_space(cell, CellSizes(5, 3))
    assert joined is not None
    assert joined.sizes == ((5 + 3 + 3) * 12, 3 * 12)
    assert "(3, 4, 3) of a row" in joined.note()
    assert "cz, cq, x_list" in joined.note()


@pytest.mark.parametrize(("width", "space"), [(0, (4, 3)), (5, (5, 5))])
def test_three_states_in_space_are_judged_side_by_side(width: int, space: tuple[int, ...]) -> None:
    joined = joined_in_space(cells.ThreeStatesInSpace(2, 3, width=width), CellSizes(2, 3))
    assert joined is not None
    assert joined.spatial.space == space
    assert joined.sizes == (2 * space[0] * space[1], 3 * 3 * space[0] * space[1])


def test_a_module_without_convolutions_is_not_joined_in_space() -> None:
    assert joined_in_space(nn.LSTMCell(2, 3), CellSizes(2, 3)) is None


def test_a_matrix_among_the_states_is_judged_beside_the_others() -> None:
    cell = cells.FastWeights(5, 3)
    joined = joined_states(cell, 3, 5)
    assert joined is not None
    assert joined.shapes_of_states == ((3,), (3, 3))
    assert joined.note() == "its states, (3) and (3, 3) in each row, are judged side by side as one"
    x, h, hebb = torch.randn(2, 5), torch.randn(2, 3), torch.randn(2, 3, 3)
    given = joined.wrap(cell)(x, torch.cat([h, hebb.flatten(1)], -1))
    torch.testing.assert_close(given, torch.cat([value.flatten(1) for value in cell(x, h, hebb)], -1))


def test_agents_in_an_axis_are_one_in_each_row() -> None:
    convention = probe_target(load_target(f"{FILE}:AgentsInAnAxis")).convention
    assert convention.axes_of_input == "B1n"
    assert "one agent in each row of the batch" in str(convention)


def test_the_number_of_the_step_is_zero_and_told() -> None:
    target = load_target(f"{FILE}:NumberOfStep")
    assert target.capabilities.fixed_sizes is None
    assert "with 0 for the number of the step" in str(probe_target(target).convention)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("GatesWithContext", "consistent"),
        ("FastWeights", "consistent"),
        ("AgentsInAnAxis", "agrees"),
        pytest.param(
            "NumberOfStep",
            "consistent",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_joined_kinds.py::test_a_call_with_contexts_is_the_call_of_the_cell"
            ),
        ),
        pytest.param(
            "ConvolvedGatesWithContext",
            "consistent",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_joined_kinds.py::test_a_call_with_contexts_is_the_call_of_the_cell"
            ),
        ),
        pytest.param(
            "ThreeStatesInSpace",
            "consistent",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_joined_kinds.py::test_a_call_with_contexts_is_the_call_of_the_cell"
            ),
        ),
        ("GateForEachRow", "consistent"),
    ],
)
def test_right_cells_are_not_refuted(name: str, outcome: str) -> None:
    assert _verdict(name).outcome == outcome


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("FastWeightsOfAllRows", "row"),
        ("AgentsWithoutState", "state"),
        pytest.param(
            "MemoryOfOtherRows",
            "row",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_joined_kinds.py::test_a_call_with_contexts_is_the_call_of_the_cell"
            ),
        ),
        ("GateOfTheFirstRow", "row"),
    ],
)
def test_wrong_cells_are_refuted(name: str, words: str) -> None:
    verdict = _verdict(name)
    assert verdict.outcome == "refuted"
    assert verdict.diagnosis is not None
    assert words in verdict.diagnosis.sentence()


def test_a_gate_that_is_computed_and_not_used_is_told() -> None:
    target = load_target(f"{FILE}:ResetUnused")
    events = run_validation(target, ValidationRequest(dtypes=("float64",), examples=0))
    reasons = [event.record.reason for event in events if isinstance(event, RecordMade)]
    assert any("cell.to_r.weight, cell.to_r.bias" in (reason or "") for reason in reasons)


def test_a_state_that_comes_back_with_another_width_is_told() -> None:
    target = load_target(f"{FILE}:CutsItsState")
    (note,) = target.capabilities.notes
    assert note.startswith(
        "made with input size 5 and hidden size 3, it gives back a state of another width than it is"
    )
    assert "inputs of 6 and a state of 2 numbers" in note
    events = run_validation(target, ValidationRequest(dtypes=("float64",), examples=0))
    reasons = [event.record.reason for event in events if isinstance(event, RecordMade)]
    assert any(note in (reason or "") for reason in reasons)
