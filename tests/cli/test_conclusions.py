"""The last lines of commands, --quiet, plain text in pipes, and signs of life."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rnn_harness.cli import _progress
from rnn_harness.cli._app import app
from rnn_harness.specs import literature
from tests.helpers import HELPERS

CELLS = HELPERS / "user_cells.py"


def run(*arguments: str, columns: str = "") -> Result:
    """Run the command in this process; its output is no terminal."""
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": columns})


@pytest.mark.parametrize(
    ("arguments", "verdict", "next_command"),
    [
        (("verify", "E-348", "--examples", "1"), "✓ 1 of 1 entry verified, 0 refuted", "rnn-harness verify --kernels"),
        (("mutants", "rnn.bias missing"), "✓ 1 of 1 mutants killed", "rnn-harness explain 'rnn.bias missing'"),
        (("bench", "parameters", "--quick"), "✓ ", "rnn-harness bench --save NAME"),
        (("specs",), "", "rnn-harness specs show E-348"),
        (
            ("verify", "fastrnn", "mgu.bias", "ligru", "--examples", "0"),
            "✓ 8 of 8 entries verified, 0 refuted",
            "rnn-harness validate FILE.py:Cell --spec mgu.bias",
        ),
    ],
    ids=["verify", "mutants", "bench", "specs", "cells of papers"],
)
def test_a_command_ends_with_its_verdict_and_the_next_command(
    arguments: tuple[str, ...], verdict: str, next_command: str
) -> None:
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    before_last, last = done.stdout.splitlines()[-2:]
    assert before_last.startswith(verdict)
    assert last.startswith(f"next: {next_command}")


@pytest.mark.deep("tests/cli/test_conclusions.py::test_a_command_ends_with_its_verdict_and_the_next_command")
def test_every_cell_of_a_paper_is_verified() -> None:
    names = [spec.id for spec in literature()]
    done = run("verify", *names, "--examples", "0")
    assert done.exit_code == 0, done.output
    assert ", 0 refuted" in done.stdout.splitlines()[-2]


@pytest.mark.usefixtures("in_process")
def test_a_cell_that_gives_nan_is_followed_by_its_records_and_no_explanation_of_the_check() -> None:
    done = run("validate", f"{HELPERS / 'wrong_seldom.py'}:NothingButNaN", "--dtype", "float64")
    assert done.exit_code == 1, done.output
    assert done.stdout.splitlines()[-1].endswith(":NothingButNaN -v  (lists every record with its reason)")


@pytest.mark.usefixtures("in_process", "in_float64")
def test_a_refuted_cell_ends_with_its_cause_and_the_command_that_shows_it() -> None:
    done = run("validate", f"{CELLS}:GRUWithoutReset")
    verdict, next_command = done.stdout.splitlines()[-2:]
    assert done.exit_code == 1
    assert verdict == f"✗ {CELLS}:GRUWithoutReset is refuted: forward: reset gate: the reset gate is not used"
    assert next_command.startswith(f"next: rnn-harness validate {CELLS}:GRUWithoutReset --repro wrong.py")


def test_quiet_prints_the_verdict_alone() -> None:
    done = run("verify", "E-348", "--examples", "1", "--quiet")
    assert done.stdout == "✓ 1 of 1 entry verified, 0 refuted\n"
    assert done.stderr == ""


def test_quiet_counts_for_one_command_only() -> None:
    run("verify", "E-348", "--examples", "1", "-q")
    assert "Document 003" in run("verify", "E-348", "--examples", "1").stdout


@pytest.mark.parametrize("columns", ["", "60"])
def test_what_goes_into_a_pipe_is_plain_text_without_blanks_at_the_ends(columns: str) -> None:
    done = run("verify", "gru.keep.column", "--examples", "1", columns=columns)
    lines = done.stdout.splitlines()
    assert [line for line in lines if line != line.rstrip()] == []
    assert not set(done.stdout) & set("┃│┏╇┡┴└\x1b")
    if columns:
        table = lines[: lines.index("") if "" in lines else None]
        assert max(map(len, table)) <= int(columns)


def test_a_long_command_says_every_few_seconds_what_it_does_where_nobody_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_progress, "SECONDS_BETWEEN_LINES", 0.02)
    with _progress.progress_lines(3) as on_start:
        on_start("the first part")
        for _ in range(500):
            time.sleep(0.02)
            if text := capsys.readouterr().err:
                break
    assert "rnn-harness: 0 s, part 1 of 3: the first part" in text


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another signal there")
@pytest.mark.parametrize("seconds", [0.1, 1.5])
def test_an_interrupt_while_everything_is_still_being_loaded_shows_no_traceback(seconds: float, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from rnn_harness.cli import main; print('loaded', flush=True); main()"]
    process = subprocess.Popen(
        [*command, "validate", f"{CELLS}:PackedGRU"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in errors
