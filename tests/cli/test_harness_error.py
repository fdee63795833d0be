"""An error of the harness itself ends the command with 4 and a line, and with its traceback if that is wanted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

import rnn_harness.validation
from rnn_harness.cli._app import app
from rnn_harness.cli._recorded_run import exit_code
from rnn_harness.errors import ExitCode
from rnn_harness.records.events import RecordMade
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

RUN = CliRunner()
AGREES = Record(entry="x", spec="x", check="backward.bound", witness="kernel", outcome=Outcome.AGREES)
FAILED = AGREES.model_copy(
    update={
        "check": "backward.screen",
        "outcome": Outcome.NOT_RUN,
        "reason": "error of the harness itself: KeyError: 'x'",
        "harness_error": "Traceback: here",
    }
)
REFUTED = AGREES.model_copy(update={"check": "precision.format", "outcome": Outcome.REFUTED})


def _fail() -> list[RecordMade]:
    raise ZeroDivisionError("of ours")


def _raise(*_arguments: object) -> Iterator[RecordMade]:
    yield from _fail()


@pytest.mark.parametrize("debug", [False, True])
def test_an_error_outside_of_every_check(monkeypatch: pytest.MonkeyPatch, debug: bool) -> None:
    monkeypatch.setattr(rnn_harness.validation, "run_validation_isolated", _raise)
    result = RUN.invoke(app, ["validate", "torch.nn:GRUCell", *(["--debug"] if debug else [])])
    assert result.exit_code == ExitCode.HARNESS_ERROR
    assert "error of the harness itself: ZeroDivisionError: of ours; this says nothing about" in result.stderr
    assert "please report it" in result.stderr
    assert ("Traceback" in result.stderr) is debug


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([AGREES, FAILED], ExitCode.HARNESS_ERROR),
        ([AGREES, FAILED, REFUTED], ExitCode.REFUTED),
        ([AGREES], ExitCode.AGREES),
    ],
    ids=["failed", "refuted all the same", "agrees"],
)
def test_an_error_in_a_check(monkeypatch: pytest.MonkeyPatch, records: list[Record], code: ExitCode) -> None:
    monkeypatch.setattr(rnn_harness.validation, "run_validation_isolated", lambda *_: iter(map(RecordMade, records)))
    result = RUN.invoke(app, ["validate", "torch.nn:GRUCell"])
    assert result.exit_code == code == exit_code(records)
    assert ("KeyError: 'x' (in backward.screen)" in result.stderr) is (FAILED in records)
    assert "Traceback" not in result.stderr


def test_help_names_the_exit_code_and_the_option() -> None:
    result = RUN.invoke(app, ["verify", "--help"])
    assert "4 an error of the harness" in result.stdout
    assert "--debug" in result.stdout
