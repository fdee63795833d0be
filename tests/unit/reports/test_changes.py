"""What changed between two reports: outcomes, verdicts, bits; times and rates only beyond their noise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.records.measurement import Measurement, SpeedMeasurement
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.changes import compare_reports, read_report
from rnn_harness.reports.page import Contents, DocumentStatements, PrintedEntry, build_contents, write_report

RUN = CliRunner()
STATEMENTS = DocumentStatements(
    {"E-1": PrintedEntry("000", 1, "Gate", printed="r_t"), "E-2": PrintedEntry("000", 2, "State", printed="h_t")}
)


def _record(entry: str, outcome: Outcome = Outcome.AGREES, **more: object) -> Record:
    base = {"entry": entry, "spec": "gru.keep.column", "check": "forward.equation", "witness": "reference"}
    return Record.model_validate({**base, "outcome": outcome, **more})


def _speed(seconds: float, machine: str = "m") -> SpeedMeasurement:
    return SpeedMeasurement(
        subject="reference",
        spec="lstm.column",
        phase="both",
        agrees=True,
        samples=(seconds,),
        median=seconds,
        ci_low=seconds * 0.99,
        ci_high=seconds * 1.01,
        control=(1.0,),
        sizes={"n": 4, "d": 4},
        machine=machine,
    )


def _report(folder: Path, records: list[Record], measured: list[Measurement] = []) -> Contents:  # noqa: B006
    write_report(build_contents(records, STATEMENTS, measured), folder)
    return read_report(folder)


def test_two_reports_of_the_same_do_not_differ(tmp_path: Path) -> None:
    report = _report(tmp_path / "a", [_record("E-1")], [_speed(1.0)])
    assert compare_reports(report, _report(tmp_path / "b", [_record("E-1")], [_speed(1.005)])) == []


@pytest.mark.parametrize(
    ("old", "new", "worse"),
    [
        (Outcome.AGREES, Outcome.REFUTED, True),
        (Outcome.AGREES, Outcome.NOT_RUN, True),
        (Outcome.REFUTED, Outcome.AGREES, False),
        (Outcome.NOT_RUN, Outcome.AGREES, False),
    ],
    ids=["now refuted", "no more decided", "mended", "decided at last"],
)
def test_an_outcome_that_changed_is_told_and_whether_for_the_worse(
    old: Outcome, new: Outcome, worse: bool, tmp_path: Path
) -> None:
    before = _report(tmp_path / "a", [_record("E-1", old), _record("E-2")])
    (change,) = compare_reports(before, _report(tmp_path / "b", [_record("E-1", new), _record("E-2")]))
    assert (change.subject, change.old, change.new) == ("E-1 (gru.keep.column), reference", str(old), str(new))
    assert change.is_worse is worse


def test_bits_of_a_kernel_and_an_equation_that_is_gone_are_told(tmp_path: Path) -> None:
    kernel: dict[str, Any] = {
        "kernel": "k",
        "dtype": "float32",
        "device": "cpu",
        "check": "precision.format",
        "witness": "kernel",
    }
    before = _report(tmp_path / "a", [_record("E-1"), _record("x", bits=22.5, **kernel)])
    changes = compare_reports(before, _report(tmp_path / "b", [_record("x", bits=12.5, **kernel)]))
    assert ("bits", "22.5", "12.5") in {(change.category, change.old, change.new) for change in changes}
    assert any(change.category == "equation" and change.new == "absent" and change.is_worse for change in changes)


def test_a_time_is_told_beyond_noise_and_not_across_machines(tmp_path: Path) -> None:
    before = _report(tmp_path / "a", [], [_speed(1.0)])
    (slower,) = compare_reports(before, _report(tmp_path / "b", [], [_speed(2.0)]))
    assert slower.category == "speed"
    assert "2.00 times" in slower.new
    (not_compared,) = compare_reports(before, _report(tmp_path / "c", [], [_speed(2.0, "another")]))
    assert "not compared" in not_compared.new


def test_the_command_compares_folders_and_ends_with_1_for_the_worse(tmp_path: Path) -> None:
    _report(tmp_path / "a", [_record("E-1")])
    _report(tmp_path / "b", [_record("E-1", Outcome.REFUTED)])
    result = RUN.invoke(app, ["report", "--compare", str(tmp_path / "a"), str(tmp_path / "b" / "report.json")])
    assert result.exit_code == 1
    assert "1 for the worse" in result.stdout
    assert RUN.invoke(app, ["report", "--compare", str(tmp_path / "b"), str(tmp_path / "a")]).exit_code == 0
    unchanged = RUN.invoke(app, ["report", "--compare", str(tmp_path / "a"), str(tmp_path / "a")])
    assert unchanged.stdout.startswith("✓ no differences between")


@pytest.mark.parametrize("text", ["{}", "[]", "no json", json.dumps({"equations": []})])
def test_what_is_no_report_is_refused_by_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(text)
    result = RUN.invoke(app, ["report", "--compare", str(tmp_path), str(tmp_path)])
    assert result.exit_code == 2
    assert "report.json" in result.stderr


def test_comparing_is_done_alone(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["report", "--quick", "--compare", str(tmp_path), str(tmp_path)])
    assert result.exit_code == 2
    assert "give it alone" in result.stderr
