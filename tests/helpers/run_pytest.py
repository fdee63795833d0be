"""A user's test suite, run by pytest: in this process, or as a shell does."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ARGUMENTS = ("-p", "no:cacheprovider", "-q", "-rf")


@dataclass(frozen=True)
class SuiteRun:
    """How a run of pytest ended.

    Attributes:
        exit_code: Its exit code.
        stdout: What it printed.
        stderr: What it printed as errors.
    """

    exit_code: int
    stdout: str
    stderr: str

    @property
    def failures(self) -> list[str]:
        """The lines of the summary about tests that failed."""
        return [line for line in self.stdout.splitlines() if line.startswith("FAILED")]


def run_pytest(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str, plugins: tuple[object, ...] = ()
) -> SuiteRun:
    """Run the tests of a folder in this process, from that folder.

    Args:
        folder: Holds the tests, in test_mine.py.
        monkeypatch: Undoes what is changed for the run.
        *arguments: More arguments of pytest.
        plugins: Further plugins of the run.
    """
    monkeypatch.chdir(folder)
    monkeypatch.setattr("rnn_harness.testing.cell_judge.JUDGED", [])
    monkeypatch.delitem(sys.modules, "test_mine", raising=False)  # that of another folder
    whole = [*ARGUMENTS, "--import-mode=importlib", "--capture=no", f"--rootdir={folder}", *arguments, str(folder)]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        exit_code = pytest.main(whole, list(plugins))
    return SuiteRun(int(exit_code), out.getvalue(), err.getvalue())


def run_pytest_process(folder: Path, *arguments: str) -> SuiteRun:
    """Run the tests of a folder in a process, from that folder.

    Args:
        folder: Holds the tests.
        *arguments: More arguments of pytest.
    """
    command = [sys.executable, "-m", "pytest", *ARGUMENTS, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    return SuiteRun(done.returncode, done.stdout, done.stderr)
