"""A command that is killed with all its workers, and resumed, ends as one that was not: records and exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "rnn_harness", "verify", "rnn.tanh", "rnn.sigma.unbiased", "Q-18", "--examples", "0"]


def _rows(path: Path) -> list[dict[str, object]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """The records of a run in one process that came to its end."""
    path = tmp_path_factory.mktemp("uninterrupted") / "records.jsonl"
    subprocess.run([*COMMAND, "--records", str(path)], check=True, capture_output=True)
    return _rows(path)


def _kill_when_it_has(lines: int, process: subprocess.Popen[bytes], path: Path) -> None:
    """Kill a process with its workers as soon as its file has so many lines."""
    while not path.exists() or path.read_bytes().count(b"\n") < lines:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
@pytest.mark.deep(
    "tests/unit/engine/test_resume.py::test_a_run_of_two_workers_that_was_killed_at_any_record_ends_as_one_that_was_not"
)
@pytest.mark.parametrize("lines", [1, 5, 10])
def test_a_run_with_two_workers_is_killed_and_resumed(
    lines: int, uninterrupted: list[dict[str, object]], tmp_path: Path
) -> None:
    path = tmp_path / "records.jsonl"
    command = [*COMMAND, "--workers", "2", "--records", str(path)]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _kill_when_it_has(lines, process, path)
    resumed = subprocess.run([*command, "--resume"], check=False, capture_output=True)
    assert resumed.returncode == 0, resumed.stderr.decode()
    assert _rows(path) == uninterrupted
