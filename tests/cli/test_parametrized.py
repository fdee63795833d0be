"""`parametrize_with_cells`: every check of a cell as a test of its own, in a user's suite."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

import rnn_harness
from rnn_harness.errors import UsageError
from rnn_harness.pytest_plugin import parametrize_with_cells
from rnn_harness.testing.cell_judge import CellJudge
from tests.helpers import HELPERS
from tests.helpers.run_pytest import run_pytest

SUITE = """
import rnn_harness
from tests.helpers.user_cells import HalfTrainedGRU, PackedGRU

@rnn_harness.parametrize_with_cells(PackedGRU, HalfTrainedGRU)
def test_cell(cell, check):
    check(cell)
"""


def test_a_right_cell_passes_and_a_wrong_one_fails_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_float64: None
) -> None:
    (tmp_path / "test_mine.py").write_text(SUITE)
    run = run_pytest(tmp_path, monkeypatch)
    assert run.exit_code == 1, run.stdout[-2000:]
    assert any("HalfTrainedGRU-backward.screen-float64" in line for line in run.failures)
    assert not any("PackedGRU" in line for line in run.failures)


def test_a_check_is_not_called_with_another_cell() -> None:
    mark = parametrize_with_cells(dict, list).mark
    (cell, check), *_ = (row.values for row in mark.args[1])
    assert cell is dict
    with pytest.raises(ValueError, match="call it with the cell of the same test"):
        check(list)


TWO_TESTS = """
import pytest
import rnn_harness
from tests.helpers.user_cells import PackedGRU

@rnn_harness.parametrize_with_cells(PackedGRU)
def test_first(cell, check):
    check(cell)

@rnn_harness.parametrize_with_cells(PackedGRU)
def test_second(cell, check):
    check(cell)

@rnn_harness.parametrize_with_cells(PackedGRU, spec="gru.reset_after")
def test_spec(cell, check):
    check(cell)

@pytest.mark.parametrize("check", [1])
def test_mine(check):
    pass
"""


@pytest.mark.deep("tests/cli/test_parametrized.py::test_a_right_cell_passes_and_a_wrong_one_fails_by_name")
def test_a_cell_in_two_tests_is_judged_once_for_each_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def judge_nothing(cell: object, spec: str, **options: object) -> None:
        asked.append(spec)
        raise UsageError("none is judged here")

    monkeypatch.setattr(rnn_harness, "validate", judge_nothing)
    (tmp_path / "test_mine.py").write_text(TWO_TESTS)
    for _ in range(2):  # a second run in the same process judges again
        asked.clear()
        run = run_pytest(tmp_path, monkeypatch)
        assert "none is judged here" in run.stdout
        assert len(run.failures) == 3
        assert asked == ["auto", "gru.reset_after"]


def test_all_checks_of_a_cell_are_of_one_group_of_xdist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xdist")
    (tmp_path / "test_mine.py").write_text(TWO_TESTS)
    groups: dict[str, set[str]] = {}

    class ReadsGroups:
        """Reads the groups in the hook in which pytest-xdist does."""

        def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
            for item in items:
                names = {mark.args[0] for mark in item.iter_markers("xdist_group")}
                groups.setdefault(item.name.partition("[")[0], set()).update(names)

    class Registers:
        """Registers it as late as pytest-xdist registers its own."""

        def pytest_sessionstart(self, session: pytest.Session) -> None:
            session.config.pluginmanager.register(ReadsGroups())

    cell = f"{HELPERS / 'user_cells.py'}:PackedGRU"
    run_pytest(tmp_path, monkeypatch, "--collect-only", "--rnn-cell", cell, plugins=(Registers(),))
    of_class = {"PackedGRU"}
    tests = {"test_first": of_class, "test_second": of_class, "test_spec": of_class, "test_mine": set()}
    assert groups == {**tests, "rnn_cell": {cell}}


@pytest.mark.parametrize(("outcome", "element"), [("undecided", "error"), ("consistent", "failure")])
def test_an_undecided_cell_is_an_error_of_junit_and_one_without_equations_a_failure(
    outcome: str, element: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = SimpleNamespace(
        check="identification.unique", dtype="", outcome="not run", reason="the reason", expected=False
    )
    validation = SimpleNamespace(outcome=outcome, checks=(record,), diagnosis=None)
    monkeypatch.setattr(CellJudge, "_validate", lambda judge: validation)
    (tmp_path / "test_mine.py").write_text(SUITE)
    cell = ("--rnn-cell", f"{HELPERS / 'user_cells.py'}:PackedGRU")
    run = run_pytest(tmp_path, monkeypatch, "--junitxml=out.xml", *cell)
    assert run.exit_code == 1
    cases = ElementTree.parse(tmp_path / "out.xml").getroot().iter("testcase")
    results = [child for case in cases for child in case if child.tag != "skipped"]
    assert [child.tag for child in results] == [element] * 3
    assert all("the reason" in str(child.text) for child in results)
