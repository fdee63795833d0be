"""Output that is not taken: a reader who goes away, a full disk, a terminal without our characters."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_harness.cli import main

COMMAND = [sys.executable, "-m", "rnn_harness"]
posix = pytest.mark.skipif(os.name != "posix", reason="closes a pipe as a shell does")


@pytest.mark.process
@posix
@pytest.mark.parametrize(
    "arguments",
    [
        ["specs"],
        ["mutants", "--list"],
        pytest.param(
            ["verify", "loss.cross_entropy", "--json", "-"],
            marks=pytest.mark.deep(
                "tests/cli/test_output.py::test_a_reader_who_goes_away_is_not_told_that_something_is_refuted"
            ),
        ),
        ["--help"],
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_a_reader_who_goes_away_is_not_told_that_something_is_refuted(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*COMMAND, *arguments], stdout=write, stderr=subprocess.PIPE, text=True, timeout=300, check=False
        )
    finally:
        os.close(write)
    assert done.returncode == 141
    # On a busy machine the lines of progress are told, each a number of seconds; nothing else is.
    assert [line for line in done.stderr.splitlines() if not re.match(r"rnn-harness: \d+ s[,:] ", line)] == []


@pytest.mark.process
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [["specs"], ["specs", "show", "E-348"], ["--help"]], ids=lambda a: " ".join(a))
def test_a_full_disk_is_told_in_a_sentence(arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "rnn-harness: cannot write the output: No space left on device\n"


def _assert_a_table_without_question_marks(text: str) -> None:
    row = next(line for line in text.splitlines() if "E-308" in line)
    assert " v " in row
    assert "?" not in row


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_output.py::test_characters_that_an_encoding_lacks_are_replaced")
def test_characters_that_a_terminal_lacks_are_replaced() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [*COMMAND, "verify", "loss.cross_entropy"]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    _assert_a_table_without_question_marks(done.stdout.decode("ascii"))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_characters_that_an_encoding_lacks_are_replaced(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "argv", ["rnn-harness", "verify", "loss.cross_entropy"])
    with pytest.raises(SystemExit) as leaving:
        main()
    assert leaving.value.code == 0
    stream.flush()
    _assert_a_table_without_question_marks(raw.getvalue().decode(encoding))


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_output.py::test_a_full_disk_is_told_in_a_sentence")
def test_nothing_is_left_where_the_command_was_called(tmp_path: Path) -> None:
    cells = tmp_path / "cells.py"  # a module of this folder is what Hypothesis would read, and keep
    cells.write_text("import torch\n\n\nclass Right(torch.nn.RNNCell):\n    pass\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("HYPOTHESIS_STORAGE_DIRECTORY", None)
    command = [*COMMAND, "validate", "cells.py:Right", "--examples", "1", "--dtype", "float32"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == [cells]
