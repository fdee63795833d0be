"""``pytest --rnn-cell``: a right cell passes, a wrong one fails by name, in a user's suite."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.helpers import HELPERS

CELLS = HELPERS / "user_cells.py"


def _pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_mine.py").write_text("def test_mine():\n    pass\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rf", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_a_right_cell_passes_beside_the_suites_own_tests(tmp_path: Path) -> None:
    found = _pytest(tmp_path, "--rnn-cell", f"{CELLS}:PackedGRU")
    assert found.returncode == 0, found.stdout[-1500:]
    assert "failed" not in found.stdout


def test_the_report_is_of_what_was_judged_right_or_wrong(tmp_path: Path) -> None:
    targets = ("--rnn-cell", f"{CELLS}:PackedGRU", "--rnn-cell", f"{CELLS}:HalfTrainedGRU")
    found = _pytest(tmp_path, *targets, "--rnn-report", "page")
    assert found.returncode == 1
    assert "report.html" in found.stdout
    made = json.loads((tmp_path / "page" / "report.json").read_text(encoding="utf-8"))
    assert [(one["target"].rpartition(":")[2], one["outcome"]) for one in made["validations"]] == [
        ("PackedGRU", "agrees"),
        ("HalfTrainedGRU", "refuted"),
    ]
    assert made["totals"]["agrees"] > 50
    assert "HalfTrainedGRU" in (tmp_path / "page" / "report.html").read_text(encoding="utf-8")


def test_a_wrong_gradient_fails_by_the_name_of_the_check(tmp_path: Path) -> None:
    found = _pytest(tmp_path, "--rnn-cell", f"{CELLS}:HalfTrainedGRU")
    assert found.returncode == 1
    assert "HalfTrainedGRU: backward.bound in float64" in found.stdout
    assert "wrong: parameters.W_h" in found.stdout


def test_without_the_option_nothing_is_added(tmp_path: Path) -> None:
    found = _pytest(tmp_path)
    assert found.returncode == 0
    assert "1 passed" in found.stdout
