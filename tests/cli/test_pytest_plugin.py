"""``pytest --rnn-cell``: a right cell passes, a wrong one fails by name, in a user's suite."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers import HELPERS
from tests.helpers.run_pytest import SuiteRun, run_pytest, run_pytest_process

pytestmark = pytest.mark.usefixtures("in_process", "in_float64")
CELLS = HELPERS / "user_cells.py"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder with a user's own test."""
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    pass\n", encoding="utf-8")
    return tmp_path


def _passes_next_to_the_suites_tests(run: SuiteRun) -> None:
    assert run.exit_code == 0, run.stdout[-1500:]
    assert "failed" not in run.stdout
    assert int(run.stdout.rpartition(" passed")[0].split()[-1]) > 20


def test_a_right_cell_passes_next_to_the_suites_own_tests(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _passes_next_to_the_suites_tests(run_pytest(suite, monkeypatch, "--rnn-cell", f"{CELLS}:PackedGRU"))


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_pytest_plugin.py::test_a_right_cell_passes_next_to_the_suites_own_tests")
def test_a_right_cell_passes_in_a_process_of_its_own(suite: Path) -> None:
    _passes_next_to_the_suites_tests(run_pytest_process(suite, "--rnn-cell", "torch.nn:RNNCell"))


def test_a_wrong_gradient_fails_by_the_name_of_the_check_and_the_report_is_of_what_was_judged(
    suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = ("--rnn-cell", f"{CELLS}:PackedGRU", "--rnn-cell", f"{CELLS}:HalfTrainedGRU")
    run = run_pytest(suite, monkeypatch, *targets, "--rnn-report", "page")
    assert run.exit_code == 1
    assert "HalfTrainedGRU: backward.bound in float64" in run.stdout
    assert "wrong: parameters.W_h" in run.stdout
    assert not [line for line in run.failures if "PackedGRU" in line]
    assert "report.html" in run.stdout
    report = json.loads((suite / "page" / "report.json").read_text(encoding="utf-8"))
    assert [(entry["target"].rpartition(":")[2], entry["outcome"]) for entry in report["validations"]] == [
        ("PackedGRU", "agrees"),
        ("HalfTrainedGRU", "refuted"),
    ]
    assert report["totals"]["agrees"] > 25
    assert "HalfTrainedGRU" in (suite / "page" / "report.html").read_text(encoding="utf-8")


def test_without_the_option_nothing_is_added(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_pytest(suite, monkeypatch)
    assert run.exit_code == 0
    assert "1 passed" in run.stdout
