"""``validate`` and ``identify`` around the work: what is refused before it, what ends it, and what is said then."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.cli._validation_outputs import ValidationOutputs
from rnn_harness.cli._validation_run import ValidationRun
from rnn_harness.errors import UsageError
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.text.validation import print_validation
from rnn_harness.runtime.worker import Ending, WorkerEnded
from rnn_harness.validation import Limits, RecordMade, ValidationRequest, collect_validation, run_validation_isolated
from rnn_harness.validation.loading.adapters import choose_adapter
from rnn_harness.validation.worker_endings import advice
from tests.helpers import HELPERS
from tests.helpers.enough_time import with_enough_time

pytestmark = pytest.mark.usefixtures("in_process")
CELLS = HELPERS / "troublesome_cells.py"
RUN = CliRunner()
BRIEF = ("--examples", "0", "--dtype", "float64")
"""The fixed cases of one format, where the verdict is not what is tested."""


@pytest.mark.parametrize("option", ["--json", "--junit", "--repro", "--save-map", "--sarif"])
def test_a_file_that_cannot_be_written_is_told_before_the_work(option: str, tmp_path: Path) -> None:
    result = RUN.invoke(app, ["validate", "no_such_module:Cell", option, str(tmp_path / "no" / "such")])
    assert result.exit_code == 2
    assert f"cannot write {tmp_path / 'no' / 'such'}: there is no folder" in result.stderr  # and not that of the target


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_file_that_takes_nothing_is_told_after_the_verdict() -> None:
    result = RUN.invoke(app, ["validate", f"{CELLS}:WithoutReset", *BRIEF, "--json", "/dev/full"])
    assert result.exit_code == 2
    assert "cannot write /dev/full: No space left on device" in result.stderr
    assert "✗ refuted" in result.stdout


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--weights", "there is no file nosuch; expected a file with weights"),
        ("--map", "there is no file nosuch; expected a file with a parameter map"),
    ],
)
def test_a_file_that_is_not_there_is_told_before_the_work(option: str, message: str) -> None:
    result = RUN.invoke(app, ["validate", "no_such_module:Cell", option, "nosuch"])
    assert result.exit_code == 2
    assert message in result.stderr


def test_weights_that_are_no_numbers_are_told_and_refute_nothing(tmp_path: Path) -> None:
    weights = torch.nn.GRUCell(7, 5).state_dict()
    weights["weight_hh"][2, 1] = torch.nan
    torch.save({**weights, "mask": torch.tensor([-torch.inf])}, tmp_path / "broken.pt")
    result = RUN.invoke(app, ["validate", "torch.nn:GRUCell", "--weights", str(tmp_path / "broken.pt")])
    assert result.exit_code == 2
    assert "weight_hh[2, 1] is nan (1 of 75 numbers of weight_hh are not finite)" in result.stderr
    assert "mask" not in result.stderr  # no parameter of the cell


def test_weights_are_tried_and_files_that_run_code_are_not_loaded(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.pt", tmp_path / "bad.pt"
    cell = torch.nn.GRUCell(7, 5)
    torch.save(cell.state_dict(), good)
    torch.save(cell, bad)
    result = RUN.invoke(app, ["validate", "torch.nn:GRUCell", *BRIEF, "--weights", str(good), "--json", "-"])
    rows = [row for row in json.loads(result.stdout)["checks"] if row["check"] == "weights.trained"]
    assert [row["outcome"] for row in rows] == ["agrees"]
    again = RUN.invoke(app, ["validate", "torch.nn:GRUCell", "--weights", str(bad)])
    assert again.exit_code == 2
    assert "cannot be read as weights alone" in again.stderr


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        pytest.param("LeavesAtOnce", [], "its process ended with exit code 0 while it was identified", id="leaves"),
        pytest.param(
            "Hangs",
            ["--timeout", "0.2"],
            "did not come back within 0.2 s while it was identified; --timeout SECONDS gives",
            id="takes too long",
            marks=pytest.mark.deep("tests/cli/test_validate_command.py::test_identify_outlives_its_target"),
        ),
    ],
)
def test_identify_outlives_its_target(name: str, more: list[str], message: str) -> None:
    result = RUN.invoke(app, ["identify", f"{CELLS}:{name}", *more, "--json", "-"])
    assert result.exit_code == 3
    assert message in result.stderr
    assert result.stdout == "[]\n"


def test_identify_says_what_it_is_as_text_as_json_and_as_a_map(tmp_path: Path) -> None:
    arguments = ["identify", f"{CELLS}:Right", "--save-map", str(tmp_path / "map.json")]
    result = RUN.invoke(app, [*arguments, "--json", "-"])
    assert result.exit_code == 0, result.stderr
    assert [(row["spec"], row["gates"]) for row in json.loads(result.stdout)] == [("gru.reset_after", "rzg")]
    assert json.loads((tmp_path / "map.json").read_text())["cell"]["reset"] == "after"
    wrong = RUN.invoke(app, ["identify", f"{CELLS}:WithoutReset", "--json", str(tmp_path / "wrong.json")])
    assert wrong.exit_code == 1
    assert "the reset gate is not used" in wrong.stdout
    assert json.loads((tmp_path / "wrong.json").read_text()) == []


def test_a_cell_replaces_its_own_records_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter((1.0, 2.0, 3.0))

    def judged(request: ValidationRequest, *_: object) -> Iterator[RecordMade]:
        yield RecordMade(
            Record(
                entry="s", spec="s", check="c", witness="kernel", outcome=Outcome.AGREES, kernel=request.target,
                seconds=next(seconds),
            )
        )  # fmt: skip

    monkeypatch.setattr("rnn_harness.validation.run_validation_isolated", judged)
    path = tmp_path / "cells.jsonl"
    assert RUN.invoke(app, ["validate", f"{CELLS}:Right", "--records", str(path)]).exit_code == 0
    refused = RUN.invoke(app, ["validate", f"{CELLS}:WithoutReset", "--records", str(path)])
    assert refused.exit_code == 2
    assert f"{path} holds records already: give --replace" in refused.stderr
    for name in ("WithoutReset", "Right"):
        done = RUN.invoke(app, ["validate", f"{CELLS}:{name}", "--records", str(path), "--replace"])
        assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {row["kernel"].rpartition(":")[2]: row["seconds"] for row in rows} == {"WithoutReset": 2.0, "Right": 3.0}
    without_file = RUN.invoke(app, ["validate", f"{CELLS}:Right", "--replace"])
    assert without_file.exit_code == 2
    assert "--replace replaces records of a file: name it with --records FILE" in without_file.stderr


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        (WorkerEnded(Ending.TOTAL_TIMEOUT, "was not done in the time it had"), "(--total)"),
        (WorkerEnded(Ending.TIMEOUT, "gave no answer for 120 s"), "--timeout SECONDS gives it longer"),
        (WorkerEnded(Ending.SIGNAL, "its process was ended by SIGKILL", "SIGKILL"), "it may take 8 GB (--memory)"),
        (WorkerEnded(Ending.SIGNAL, "its process was ended by SIGTERM", "SIGTERM"), ""),
        (WorkerEnded(Ending.OUT_OF_MEMORY, "the memory did not suffice"), "it may take 8 GB (--memory)"),
        (WorkerEnded(Ending.EXIT, "its process ended with exit code 1"), ""),
    ],
    ids=["late", "silent", "killed", "terminated", "out of memory", "left"],
)
def test_only_what_may_have_been_the_reason_is_advised(ending: WorkerEnded, message: str) -> None:
    advised = advice(ValidationRequest("it", {}), Limits(), ending)
    assert message in advised
    assert bool(advised) is bool(message)


@pytest.mark.process
def test_a_cell_that_hangs_is_refuted_and_says_how_to_give_it_longer() -> None:
    def ending(seconds: float) -> Record:
        request = ValidationRequest(f"{CELLS}:Hangs", {}, examples=0)
        events = run_validation_isolated(request, Limits(case=seconds))
        (ended,) = [event.record for event in events if isinstance(event, RecordMade)]
        return ended

    ended = with_enough_time(ending, lambda ended: "while it was loaded" not in ended.reason)
    assert ended.check == "process.ended"
    assert ended.outcome is Outcome.REFUTED
    assert ended.reason.endswith("; --timeout SECONDS gives it longer")


@pytest.mark.process
def test_memory_in_which_torch_cannot_be_loaded_decides_nothing() -> None:
    validation = collect_validation("it", run_validation_isolated(ValidationRequest(f"{CELLS}:Right", {}, memory=0.3)))
    assert validation.outcome == "undecided"
    assert "it may take 0.3 GB (--memory)" in validation.checks[0].reason


@pytest.mark.parametrize(
    ("option", "value"), [("--memory", "inf"), ("--memory", "1e300"), ("--memory", "0.5"), ("--timeout", "inf")]
)
def test_limits_that_cannot_be_kept_are_refused(option: str, value: str) -> None:
    result = RUN.invoke(app, ["validate", f"{CELLS}:Right", option, value])
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.stderr


def test_the_adapter_of_onnx_refuses_what_is_no_model() -> None:
    adapter = choose_adapter(torch.nn.GRU, "onnx")
    assert adapter is not None
    with pytest.raises(UsageError, match=r"GRU is no ONNX model .*leave --adapter onnx out"):
        adapter.drive(torch.nn.GRU(2, 3), 2, 3, {})


RECORD = Record(
    entry="gru.keep", spec="gru.keep", check="forward.equation", witness="kernel", outcome=Outcome.AGREES, kernel="it"
)


@pytest.mark.parametrize(
    ("outcome", "message"), [(Outcome.AGREES, "– not finished; agrees so far"), (Outcome.REFUTED, "✗ refuted; not")]
)
def test_what_was_interrupted_is_not_said_to_agree(outcome: Outcome, message: str) -> None:
    validation = collect_validation("it", [RecordMade(RECORD.model_copy(update={"outcome": outcome}))])
    out = io.StringIO()
    print_validation(Console(file=out, width=100), validation, verbose=False, finished=False)
    assert message in out.getvalue()
    assert "✓ agrees" not in out.getvalue()


def test_the_json_of_what_was_interrupted_is_undecided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> object:
        yield RecordMade(RECORD)
        raise KeyboardInterrupt

    monkeypatch.setattr("rnn_harness.validation.run_validation_isolated", interrupted)
    path = tmp_path / "found.json"
    result = RUN.invoke(app, ["validate", f"{CELLS}:Right", "--json", str(path)])
    assert result.exit_code == 130
    assert "not finished; agrees so far" in result.stdout
    assert json.loads(path.read_text())["outcome"] == "undecided"
    run = ValidationRun(ValidationRequest(), Limits(), ValidationOutputs(None, None, False, None, None), examples=0)
    assert run.exit_code([RECORD]) == 0  # as it would have been


def test_a_validation_prints_as_its_summary() -> None:
    record = RECORD.model_copy(update={"outcome": Outcome.REFUTED, "reason": "h[0] is 1.5, the equations give 0.5"})
    validation = collect_validation("mine.py:Cell", [RecordMade(record)] * 40)
    lines = str(validation).splitlines()
    assert lines[0] == "mine.py:Cell"
    assert "✗ refuted" in lines[1]
    assert "h[0] is 1.5, the equations give 0.5" in str(validation)
    assert len(str(validation)) < 1000
    assert repr(validation) == "<Validation of mine.py:Cell: refuted, 40 checks; print it for a summary>"
    assert "\x1b" not in str(validation)


def test_where_no_check_was_run_the_reason_is_told() -> None:
    record = RECORD.model_copy(
        update={"outcome": Outcome.NOT_RUN, "reason": "not judged in float64: float32 comes out"}
    )
    validation = collect_validation("mine.py:Cell", [RecordMade(record)])
    assert validation.outcome == "undecided"
    assert "because  not judged in float64: float32 comes out" in str(validation)
