"""What a report is made of: files of every kind are told apart, and what was made is kept and gone on with."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from rnn_harness.cli import report_run
from rnn_harness.cli._app import app
from rnn_harness.cli._conclusion import Conclusion
from rnn_harness.cli._recorded_run import RecordedRun
from rnn_harness.cli.report_inputs import ReportInputs
from rnn_harness.cli.report_run import ReportRun
from rnn_harness.errors import ExitCode, UsageError
from rnn_harness.matrix.table import build_matrix
from rnn_harness.mutants import Kill, Mutant, MutantResult
from rnn_harness.records.batches import KnownRecords, stamped
from rnn_harness.records.kill_matrix import dump_kill_matrix
from rnn_harness.records.measurement import LearningMeasurement, ParameterCount, write_measurements
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.page import build_contents
from rnn_harness.reports.page.document_statements import DocumentStatements
from rnn_harness.reports.page.render import report_html
from rnn_harness.validation import RecordMade, Validation, collect_validation
from tests.helpers.judged_targets import WRONG, judged_target

RUN = CliRunner()
RECORD = Record(
    entry="E-348", spec="gru.keep.column", check="forward.equation", witness="reference", outcome=Outcome.AGREES
)
MEASURED = ParameterCount(subject="lstm.column", spec="lstm.column", origin="spec", count=3, formula="d", agrees=True)
KILL = Kill(check="forward.equation", examples=1, seconds=0.1, detail="")
MUTANT = MutantResult(
    mutant="gru.x",
    spec="gru.keep.column",
    part="forward",
    edit="a -> b",
    killed=True,
    examples=1,
    vacuous=0,
    kills=(KILL,),
)


def test_files_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(RECORD.model_dump_json() + "\n")
    write_measurements(tmp_path / "b", [MEASURED])
    (tmp_path / "c").write_text(dump_kill_matrix([MUTANT]))
    inputs = ReportInputs()
    for name in "abc":
        inputs.read(tmp_path / name)
    assert (len(inputs.records), len(inputs.measurements), inputs.mutants) == (1, 1, [MUTANT])


def test_a_table_of_implementations_is_a_section_of_the_page(tmp_path: Path) -> None:
    table = build_matrix("Cells of others", [judged_target("a"), judged_target("b", WRONG)])
    (tmp_path / "matrix.json").write_text(table.model_dump_json())
    inputs = ReportInputs()
    inputs.read(tmp_path / "matrix.json")
    assert (inputs.matrix, inputs.exit_code()) == (table, ExitCode.AGREES)
    page = report_html(build_contents([], DocumentStatements({}), [], matrix=inputs.matrix))
    assert '<h2 id="implementations">Cells of others</h2>' in page
    assert "2 implementations of 1 package," in page
    with pytest.raises(UsageError, match="was read already"):
        inputs.read(tmp_path / "matrix.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            json.dumps([{"kind": "mutant", "mutant": "gru.x"}]),
            "gru.x has no edit, examples, killed, kills, part, spec, vacuous",
        ),
        (json.dumps({"kind": "validation", "identification": 3}), "no result of validate --json"),
        ('{"kind": "tempo"}\n', "1: not a measurement"),
        ('{"entry": 1}\n{"entry": 2}\n', "not a record"),
    ],
    ids=["half a mutant", "half a validation", "an unknown measurement", "no record"],
)
def test_a_damaged_file_is_refused_with_what_is_wrong(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(UsageError, match=message):
        ReportInputs().read(tmp_path / "x")


def test_the_same_measurement_twice_is_refused(tmp_path: Path) -> None:
    write_measurements(tmp_path / "b", [MEASURED])
    inputs = ReportInputs()
    inputs.read(tmp_path / "b")
    with pytest.raises(UsageError, match="is answered twice"):
        inputs.read(tmp_path / "b")


@pytest.mark.parametrize(
    ("outcome", "agrees", "killed", "code"),
    [
        (Outcome.AGREES, True, True, 0),
        (Outcome.REFUTED, True, True, 1),
        (Outcome.AGREES, False, True, 1),
        (Outcome.AGREES, True, False, 1),
    ],
    ids=["nothing wrong", "a record refuted", "a measurement not right", "a mutant that survives"],
)
def test_the_exit_code_says_whether_something_is_refuted(
    outcome: Outcome, agrees: bool, killed: bool, code: int, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text(RECORD.model_copy(update={"outcome": outcome}).model_dump_json() + "\n")
    write_measurements(tmp_path / "b", [MEASURED.model_copy(update={"agrees": agrees, "reason": "off"})])
    kills = (KILL,) if killed else ()
    (tmp_path / "c").write_text(dump_kill_matrix([MUTANT.model_copy(update={"killed": killed, "kills": kills})]))
    arguments = [part for name in "abc" for part in ("--from", str(tmp_path / name))]
    result = RUN.invoke(app, ["report", *arguments, "--out", str(tmp_path / "out")])
    assert result.exit_code == code, result.stderr
    notes = json.loads((tmp_path / "out" / "report.json").read_text())["notes"]
    assert any("not shown, off" in text for text in notes) is not agrees


def test_where_nothing_is_decided_the_exit_code_is_3(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(RECORD.model_copy(update={"outcome": Outcome.NOT_RUN}).model_dump_json() + "\n")
    result = RUN.invoke(app, ["report", "--from", str(tmp_path / "a"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 3


def test_mutants_are_kept_as_they_come_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    def two(mutant: Mutant) -> MutantResult:
        if len(judged) == stop_at:
            raise KeyboardInterrupt
        judged.append(mutant.name)
        return MUTANT.model_copy(update={"mutant": mutant.name})

    monkeypatch.setattr("rnn_harness.mutants.judge_mutant", two)
    path = tmp_path / "mutants.json"
    for stop_at in (2, 4):
        with pytest.raises(KeyboardInterrupt):
            ReportRun(ReportInputs(), tmp_path, resume=True).judge_mutants(path)
        assert [row["mutant"] for row in json.loads(path.read_text())] == judged
        assert len(set(judged)) == stop_at


def test_a_full_disk_is_told_and_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_text("before")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(UsageError, match="No space left on device"):
            report_run.write_result(tmp_path / "x", "after")
    assert (tmp_path / "x").read_bytes() == b"before"


def test_records_of_mixed_versions_are_refused_by_name(tmp_path: Path) -> None:
    rows = [RECORD.model_copy(update={"environment": "numpy 2.3"})]
    rows.append(RECORD.model_copy(update={"environment": "numpy 2.4", "entry": "E-349"}))
    (tmp_path / "a").write_text("".join(record.model_dump_json() + "\n" for record in rows))
    with pytest.raises(UsageError, match=r"E-349.* was made with numpy 2.4, and E-348.* with numpy 2.3"):
        ReportInputs().read(tmp_path / "a")


def test_measurements_of_mixed_versions_are_refused_whatever_their_kinds(tmp_path: Path) -> None:
    loss = LearningMeasurement(
        subject="GRU",
        spec="gru.reset_after",
        task="adding",
        task_title="add",
        sizes={"T": 20},
        training_steps=10,
        median=0.1,
        chance=0.2,
        seeds=1,
        seeds_solved=0,
        seconds=1.0,
        parameters=9,
        environment="torch 2.13",
    )
    write_measurements(tmp_path / "a", [MEASURED.model_copy(update={"environment": "torch 2.11"}), loss])
    with pytest.raises(UsageError, match=r"adding.* was made with torch 2.13, and .*lstm.column.* with torch 2.11"):
        ReportInputs().read(tmp_path / "a")


def test_kernels_of_another_machine_are_shown_beside(tmp_path: Path) -> None:
    kernel = {"kernel": "nn.GRU/cudnn", "dtype": "float32", "device": "cuda", "witness": "kernel"}
    rows = [RECORD.model_copy(update={"environment": "torch 2.13"})]
    rows.append(Record.model_validate({**RECORD.model_dump(), **kernel, "environment": "torch 2.11"}))
    (tmp_path / "a").write_text("".join(record.model_dump_json() + "\n" for record in rows))
    inputs = ReportInputs()
    inputs.read(tmp_path / "a")
    assert len(inputs.records) == 2


def test_a_line_cut_off_by_a_killed_run_is_told_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").write_text(RECORD.model_dump_json() + "\n" + RECORD.model_dump_json()[:40])
    inputs = ReportInputs()
    inputs.read(tmp_path / "a")
    assert len(inputs.records) == 1
    assert "rnn-harness: " in capsys.readouterr().err


def test_what_an_interrupted_report_made_is_kept_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted after the equations: they are not decided again."""
    asked: list[int] = []

    class EquationsOfTest(RecordedRun):
        examples = size = 1

        def __init__(self, quick: bool) -> None:
            assert quick

        def make_records(self, known: KnownRecords, on_start: Callable[[str], None]) -> Iterator[Record]:
            earlier = known.batch("digest")
            asked.append(len(earlier))
            on_start("equations")
            yield from earlier or stamped([RECORD], "digest")

        def show(self, records: Sequence[Record], verbose: bool, finished: bool) -> None:
            pytest.fail("a report prints no records")

        def conclusion(self, records: Sequence[Record]) -> Conclusion:
            pytest.fail("a report has a conclusion of its own")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(report_run, "equation_run", EquationsOfTest)
    monkeypatch.setattr(report_run, "measure_with_progress", interrupted)
    out = tmp_path / "out"
    stopped = RUN.invoke(app, ["report", "--quick", "--out", str(out)])
    assert stopped.exit_code == 130
    assert "--resume goes on" in stopped.stderr
    again = RUN.invoke(app, ["report", "--quick", "--out", str(out)])
    assert again.exit_code == 2
    assert f"{out} holds what an interrupted report made (equations.jsonl): give --resume" in again.stderr
    assert "--out" in again.stderr
    monkeypatch.setattr(report_run, "measure_with_progress", lambda *_: ([MEASURED], False))
    result = RUN.invoke(app, ["report", "--quick", "--out", str(out), "--resume"])
    assert result.exit_code == 0, result.stderr
    assert asked == [0, 1]
    assert json.loads((out / "report.json").read_text())["totals"]["agrees"] == 1
    after = RUN.invoke(app, ["report", "--quick", "--out", str(out)])
    assert after.exit_code == 0, after.stderr
    assert "the last report is in" in after.stderr
    assert asked == [0, 1, 0]
    assert RUN.invoke(app, ["report", "--compare", str(out / "previous"), str(out)]).exit_code == 0


def _cell(outcome: str) -> Validation:
    update = {"kernel": "mine.py:Cell", "dtype": "float64", "outcome": Outcome(outcome), "reason": "off by one"}
    return collect_validation("mine.py:Cell", [RecordMade(RECORD.model_copy(update=update))])


@pytest.mark.parametrize(
    ("outcome", "message", "badge", "failures", "code"),
    [
        ("refuted", "- `mine.py:Cell`: **refuted**; off by one", "1 cell, 1 refuted", 1, 1),
        ("agrees", "- `mine.py:Cell`: **agrees**; it is gru.keep.column", "1 cell, 0 refuted", 0, 0),
    ],
)
def test_a_validated_cell_stands_in_every_file_of_the_report(
    outcome: str, message: str, badge: str, failures: int, code: int, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text(_cell(outcome).model_dump_json())
    out = tmp_path / "out"
    result = RUN.invoke(app, ["report", "--from", str(tmp_path / "a"), "--out", str(out)])
    assert result.exit_code == code, result.stderr
    assert message in (out / "report.md").read_text(encoding="utf-8").splitlines()
    assert badge in (out / "badge.svg").read_text(encoding="utf-8")
    assert ("#b3261e" in (out / "badge.svg").read_text(encoding="utf-8")) is (outcome == "refuted")
    assert len(ElementTree.parse(out / "report.xml").findall("testsuite/testcase/failure")) == failures
    assert "mine.py:Cell" in (out / "report.html").read_text(encoding="utf-8")


def test_from_and_making_more_exclude_each_other(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["report", "--quick", "--from", str(tmp_path)])
    assert result.exit_code == 2
    assert "give one of them" in result.stderr


def test_a_cell_with_a_wrong_name_leaves_the_last_report_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("the last one", encoding="utf-8")
    result = RUN.invoke(app, ["report", "--quick", "--cell", "nofile.py:X", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "there is no file nofile.py" in result.stderr
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "the last one"


def test_measurements_whose_last_line_is_cut_off_go_into_a_report_and_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "times.jsonl"
    write_measurements(path, [MEASURED])
    path.write_text(path.read_text() + '{"kind": "speed", "subject": "nn.GRU", "medi', encoding="utf-8")
    inputs = ReportInputs()
    inputs.read(path)
    assert list(inputs.measurements.values()) == [MEASURED]
    assert "times.jsonl:2: the last measurement is cut off, and was skipped" in capsys.readouterr().err
