"""The searches for a cell, and for the faults of one that equals no known cell, end, and decide nothing."""

from __future__ import annotations

from typing import Any

import pytest

from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.cells.cell_model import CellModel, Fault
from rnn_harness.validation.diagnosis import nearest
from rnn_harness.validation.diagnosis.fault_filter import FaultFilter
from rnn_harness.validation.identification import identify
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.judging import mismatch
from tests.helpers import far_cells, wrong_torch


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


def test_an_unknown_cell_is_held_against_a_part_of_the_pairs_of_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    target = load_target(f"{far_cells.__file__}:ChaosFree")
    probe = probe_target(target)
    layouts = identify.target_layouts(target, probe)
    runs, tried = 0, 0
    run, admits = CellModel.run, FaultFilter.admits

    def counted_run(model: CellModel, *arguments: Any) -> Any:
        nonlocal runs
        runs += 1
        return run(model, *arguments)

    def counted_question(fault_filter: FaultFilter, faults: tuple[Fault, ...]) -> bool:
        nonlocal tried
        tried += 1
        return admits(fault_filter, faults)

    monkeypatch.setattr(CellModel, "run", counted_run)
    monkeypatch.setattr(FaultFilter, "admits", counted_question)
    assert nearest.identify_faulty(probe, layouts, None) == []
    assert tried > 5_000, "every pair was tried"
    assert runs < tried, "every one by several runs of its own, this took 20 s"


def test_parameters_without_a_place_in_a_cell_leave_nothing_to_search(monkeypatch: pytest.MonkeyPatch) -> None:
    target = load_target(f"{far_cells.__file__}:GatesOfEverything")
    probe = probe_target(target)
    layouts = identify.target_layouts(target, probe)
    monkeypatch.setattr(nearest, "_with_any_fault", lambda *_: pytest.fail("no layout has room for all its matrices"))
    assert layouts
    assert nearest.identify_faulty(probe, layouts, None) == []


def test_the_same_layouts_are_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[list[Layout]] = []

    def search(_probe: Probe, layouts: list[Layout], _expected: CellModel | None) -> list[Identification]:
        searched.append(layouts)
        return []

    monkeypatch.setattr(mismatch, "identify_faulty", search)
    target = load_target(f"{far_cells.__file__}:Sine")
    collect_validation("sine", run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    first, second = searched
    assert first
    assert second == []
