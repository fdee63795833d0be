"""The hook for pre-commit judges the cells of a project, and imports none of its tests."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import HELPERS

REPOSITORY = Path(__file__).resolve().parents[2]
CELLS = HELPERS / "user_cells.py"


def entry() -> list[str]:
    """Return the command line of the hook, for the Python that runs."""
    text = (REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    (line,) = re.findall(r"^  entry: (.*)$", text, re.MULTILINE)
    program, *arguments = shlex.split(line)
    assert program == "python"
    return [sys.executable, *arguments]


def write_project(project: Path, cell: str) -> None:
    """Write a project whose tests import what is not there, and whose settings name a cell."""
    (project / "pyproject.toml").write_text(f'[tool.rnn-harness]\ncells = ["{CELLS}:{cell}"]\n', encoding="utf-8")
    (project / "test_mine.py").write_text("import there_is_no_such_library\n", encoding="utf-8")
    (project / "conftest.py").write_text("import there_is_no_such_library\n", encoding="utf-8")


def test_the_hook_collects_the_cells_of_the_settings_and_no_tests_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path, "PackedGRU")
    _, option, program, *arguments = entry()
    assert option == "-c"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["-c", *arguments, "--collect-only", "--capture=no"])
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as end:
        exec(program, {})
    assert end.value.code == 0, out.getvalue()
    lines = [line for line in out.getvalue().splitlines() if "[" in line]
    assert len(lines) > 20
    assert all("rnn_cell[PackedGRU-" in line for line in lines)


@pytest.mark.process
@pytest.mark.deep(
    "tests/cli/test_pre_commit_hook.py::test_the_hook_collects_the_cells_of_the_settings_and_no_tests_of_the_project"
)
@pytest.mark.parametrize(("cell", "code"), [("PackedGRU", 0), ("HalfTrainedGRU", 1)])
def test_the_hook_passes_a_right_cell_and_fails_for_a_wrong_one(cell: str, code: int, tmp_path: Path) -> None:
    write_project(tmp_path, cell)
    run = subprocess.run(entry(), cwd=tmp_path, capture_output=True, text=True, timeout=170, check=False)
    assert run.returncode == code, run.stdout + run.stderr
    assert ("backward.screen refuted" in run.stdout) == (code == 1)
    assert "there_is_no_such_library" not in run.stdout + run.stderr
