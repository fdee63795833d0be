"""The same seed gives the same records but for times: whatever the processes, threads, hash seed and folder are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULE_OF_CONSTANTS = "NUMBERS = (7, 11, 13, 0.123, 2.5)\nTEXT = 'saturated'\n"
"""Hypothesis reads such constants out of the modules of a folder, and would draw them."""


def _records(folder: Path, arguments: list[str], **environment: str) -> list[dict[str, object]]:
    """The records of a command that runs in a folder of its own, without their times."""
    folder.mkdir()
    (folder / "constants.py").write_text(MODULE_OF_CONSTANTS)
    command = [sys.executable, "-m", "rnn_harness", *arguments, "--records", "records.jsonl"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.mark.process
@pytest.mark.deep("tests/unit/engine/test_drawn_cases.py::test_constants_of_the_users_modules_are_not_drawn")
def test_equations_are_decided_the_same(tmp_path: Path) -> None:
    arguments = ["verify", "rnn.tanh", "gru.keep.column", "Q-18", "facts", "--examples", "40", "--seed", "5"]
    first = _records(tmp_path / "first", arguments, PYTHONHASHSEED="1", OMP_NUM_THREADS="1")
    shared = [*arguments, "--workers", "2"]
    second = _records(tmp_path / "second", shared, PYTHONHASHSEED="2", OMP_NUM_THREADS="2")
    assert second == first
    assert len(first) > 100


@pytest.mark.process
@pytest.mark.deep("tests/unit/engine/test_drawn_cases.py::test_constants_of_the_users_modules_are_not_drawn")
def test_a_cell_is_judged_the_same(tmp_path: Path) -> None:
    arguments = ["validate", "torch.nn:GRUCell", "--examples", "4", "--seed", "5"]
    first = _records(tmp_path / "first", arguments, PYTHONHASHSEED="1", OMP_NUM_THREADS="1")
    second = _records(tmp_path / "second", arguments, PYTHONHASHSEED="2", OMP_NUM_THREADS="2")
    assert second == first
    assert len(first) > 100
