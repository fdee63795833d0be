"""`parametrize_with_cells`: every check of a cell as a test of its own, in a user's suite."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rnn_harness.pytest_plugin import parametrize_with_cells
from tests.helpers import HELPERS

SUITE = f"""
import sys
sys.path.insert(0, {str(HELPERS)!r})
import rnn_harness
from user_cells import HalfTrainedGRU, PackedGRU

@rnn_harness.parametrize_with_cells(PackedGRU, HalfTrainedGRU)
def test_cell(cell, check):
    check(cell)
"""


def test_a_right_cell_passes_and_a_wrong_one_fails_by_name(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rf", str(tmp_path)]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert found.returncode == 1, found.stdout[-2000:]
    failed = [line for line in found.stdout.splitlines() if line.startswith("FAILED")]
    assert any("HalfTrainedGRU: backward.bound in float64" in line for line in failed)
    assert not any("PackedGRU" in line for line in failed)


def test_a_check_is_not_called_with_another_cell() -> None:
    mark = parametrize_with_cells(dict, list).mark
    (cell, check), *_ = mark.args[1]
    assert cell is dict
    with pytest.raises(ValueError, match="call it with the cell of the same test"):
        check(list)
