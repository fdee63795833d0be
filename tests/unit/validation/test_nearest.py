"""The searches for a cell, and for the faults of one that equals no known cell, end, and decide nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.diagnosis import nearest
from rnn_harness.validation.diagnosis.faults import candidate_faults, shows_without_parameters
from rnn_harness.validation.identification import identify
from rnn_harness.validation.judging import mismatch
from tests.helpers import wrong_torch


@pytest.fixture
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (nearest, mismatch):
        monkeypatch.setattr(module, "SEARCH_SECONDS", -1.0)


@pytest.mark.usefixtures("no_time")
def test_a_search_without_time_decides_nothing_and_says_so() -> None:
    target = load_target(f"{wrong_torch.__file__}:MemoryTwoMistakes")
    validation = collect_validation("two", run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    record = next(record for record in validation.checks if record.check == "identification.unique")
    assert record.outcome is Outcome.NOT_RUN
    assert record.reason.endswith("the search for mistakes ended after -1 s")


def test_an_identification_without_time_names_no_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    target = load_target(f"{wrong_torch.__file__}:Elman")
    assert identify.identify(target)
    monkeypatch.setattr(identify, "IDENTIFICATION_SECONDS", -1.0)
    assert identify.identify(target) == ()


@pytest.mark.parametrize(
    "model",
    [
        CellModel("rnn"),
        CellModel("gru", reset="after", update="write"),
        CellModel("gru"),
        CellModel("lstm", peephole="diagonal"),
        CellModel("lstm", peephole="full", peephole_state="old", forget="coupled"),
        CellModel("lstm", offset=1.0),
    ],
    ids=lambda model: f"{model.family}-{model.reset}-{model.peephole or 'plain'}-{model.forget}-{model.offset:g}",
)
def test_a_fault_of_a_term_changes_nothing_where_all_parameters_are_zero(model: CellModel) -> None:
    rng = np.random.default_rng(3)
    inputs, states = rng.normal(size=(3, 2, 4)), tuple(rng.normal(size=(2, 5)) for _ in model.state_names)
    right = model.run({}, inputs, states)
    silent = [fault for fault in candidate_faults(model) if not shows_without_parameters(fault)]
    assert len(silent) >= 10 * len(model.letters)
    for fault in silent:
        outputs, finals = replace(model, faults=(fault,)).run({}, inputs, states)
        np.testing.assert_array_equal(outputs, right[0])
        np.testing.assert_array_equal(finals, right[1])
