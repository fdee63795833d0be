"""`parametrize_with_cells`: every check of a cell as a test of its own, in a user's suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.pytest_plugin import parametrize_with_cells
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
