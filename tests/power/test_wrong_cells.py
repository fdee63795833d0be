"""Wrong cells as people write them: each is refuted, and the part at fault is named."""

from __future__ import annotations

import importlib
from functools import cache

import pytest

import rnn_harness
from rnn_harness.validation import Validation
from tests.helpers import linear_cells

MODULES = ("wrong_torch", "wrong_numpy", "wrong_seldom")
WRONG = [(module, name) for module in MODULES for name in importlib.import_module(f"tests.helpers.{module}").FAULTS]


MAY_BE_MEANT = {"ElmanAddsOldState": "rnn.tanh", "ResetResidual": "gru.reset_after"}
"""Cells that are wrong where they should be another one, by what they should be; by themselves they are right."""


@cache
def validate_cell(module: str, name: str, spec: str = "auto") -> Validation:
    return rnn_harness.validate(
        getattr(importlib.import_module(f"tests.helpers.{module}"), name), spec=spec, examples=0, dtypes=("float64",)
    )


SAME_KIND = {
    "MemoryInputForgetsLinearCandidate": "MemoryTwoMistakes",
    "MemoryRawThroughRawGate": "MemoryTwoMistakes",
    "MemoryOldCellLinearCandidate": "MemoryTwoMistakes",
    "GatedDetachedReset": "MemoryDetachesCell",
    "GatedDetachedUpdate": "MemoryDetachesCell",
    "MemoryInputIsOneMinusForget": "MemoryWithoutForget",
    "MemorySeesTheCell": "MemoryRecurrentFromCell",
    "CourseForgetsWithInput": "CourseInputByOutput",
    "CourseBiasForgotten": "CourseWrongBias",
    "ElmanSubtractsAllOfHidden": "ElmanForgetsHidden",
    "CharGradientOfNewState": "CharSlopeMissing",
    "CharBiasAveraged": "CharSlopeMissing",
    "CharBiasSubtracted": "GatedBiaslessCandidate",
    "RowWrongSign": "RowBiasOffByOnePercent",
    "RowResetLost": "RowCandidateNotReset",
    "RowInputGradientLacksAGate": "RowCandidateNotReset",
    "SixteenRows": "SixteenUnits",
    "GatedTanhUpdate": "ResetWithoutSigmoid",
    "ResetNotOnTheBias": "ResetOnTheInput",
    "LimitedGradient": "LimitedState",
    "RowSlopeOfUpdateMissing": "RowCandidateNotReset",
}
"""Mistakes that the default run leaves out, each with the cell that it has of the same kind."""


def chosen_cells() -> list[tuple[str, str]]:
    """Return the cells of the default run: the first of each part at fault that is found quickly."""
    chosen: dict[str, tuple[str, str]] = {}
    for module, name in WRONG:
        if name not in SAME_KIND:
            part = importlib.import_module(f"tests.helpers.{module}").FAULTS[name]
            chosen.setdefault(part, (module, name))
    return list(chosen.values())


DEEP = pytest.mark.deep("tests/power/test_wrong_cells.py::test_wrong_cell_is_refuted_and_the_part_at_fault_is_named")


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize(
    ("module", "name"),
    [pytest.param(*row, id=row[1], marks=() if row in chosen_cells() else DEEP) for row in WRONG],
)
def test_wrong_cell_is_refuted_and_the_part_at_fault_is_named(module: str, name: str) -> None:
    validation = validate_cell(module, name, MAY_BE_MEANT.get(name, "auto"))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    diagnosis = f"{validation.diagnosis.part}, {validation.diagnosis.difference}"
    part_at_fault = importlib.import_module(f"tests.helpers.{module}").FAULTS[name]
    assert part_at_fault in diagnosis


RIGHT_IN_DEEP = (
    *("GatedUnit", "ResetAfter", "CharAddsUp", "CourseLSTM", "RowGRU"),
    *("OverTime", "WantsItsState", "ListOfSteps", "WithDropout"),
)
"""Right cells of which the default run has another one of the same make."""
RIGHT_IN_DEEP_MARK = pytest.mark.deep("tests/power/test_wrong_cells.py::test_the_right_cell_they_are_made_from_agrees")


@pytest.mark.parametrize("name", MAY_BE_MEANT)
def test_a_residual_cell_is_no_mistake_unless_it_should_be_another_one(name: str) -> None:
    validation = validate_cell("wrong_torch", name)
    assert validation.outcome == "consistent", [r.reason for r in validation.checks if str(r.outcome) == "refuted"]
    assert validation.diagnosis is not None
    assert "the old state is added to the new one" in validation.diagnosis.difference


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize(
    ("module", "name"),
    [
        pytest.param(m, n, id=f"{m}-{n}", marks=() if n not in RIGHT_IN_DEEP else RIGHT_IN_DEEP_MARK)
        for m in MODULES
        for n in importlib.import_module(f"tests.helpers.{m}").RIGHT
    ],
)
def test_the_right_cell_they_are_made_from_agrees(module: str, name: str) -> None:
    validation = validate_cell(module, name)
    assert validation.outcome == "agrees", [r.reason for r in validation.checks if str(r.outcome) == "refuted"]
    assert validation.diagnosis is None


def test_a_mistake_that_the_default_run_leaves_out_has_one_of_its_kind_there() -> None:
    names = {name for _, name in chosen_cells()}
    assert set(SAME_KIND) <= {name for _, name in WRONG} - names
    assert set(SAME_KIND.values()) <= names


def test_there_are_at_least_forty_of_them_in_two_libraries() -> None:
    assert len(WRONG) >= 40
    assert {module for module, _ in WRONG} == set(MODULES)


def test_a_linear_cell_may_be_meant_and_one_with_scores_of_its_own_has_forgotten_its_activation() -> None:
    outcomes = {
        name: rnn_harness.validate(getattr(linear_cells, name), examples=0, dtypes=("float64",)).outcome
        for name in ("LinearCell", "LinearCellWithScores")
    }
    assert outcomes == {"LinearCell": "consistent", "LinearCellWithScores": "refuted"}
