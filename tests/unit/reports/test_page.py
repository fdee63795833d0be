"""The report: computed from records alone, everything foreign escaped, and a page that works without a network."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.records.measurement import (
    CurvePoint,
    DecayMeasurement,
    LearningMeasurement,
    Measurement,
    SpeedMeasurement,
    write_measurements,
)
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.entry_caption import PrintErratum
from rnn_harness.reports.page import DocumentStatements, PrintedEntry, build_contents, document_statements, write_report
from rnn_harness.reports.page.badge import badge_svg
from rnn_harness.reports.page.plots import interval_wedge

RUN = CliRunner()
PRINTED = {
    "E-1": PrintedEntry("000", 1, "Gate", printed=r"r_t = \sigma(W x_t)"),
    "E-2": PrintedEntry(
        "000",
        2,
        "State",
        errata=(PrintErratum("X-1", "One bracket too many."),),
        printed=r"h_t = \tanh(W x_t))",
        reading=r"h_t = \tanh(W x_t)",
    ),
}


def _record(entry: str, witness: str = "reference", outcome: Outcome = Outcome.AGREES, **more: object) -> Record:
    base = {"entry": entry, "spec": "gru.keep.column", "check": "forward.equation", "witness": witness}
    return Record.model_validate({**base, "outcome": outcome, **more})


def _decay(subject: str = "LSTM", initialisation: str = "torch", rate: float = 0.6) -> DecayMeasurement:
    return DecayMeasurement(
        subject=subject,
        spec="lstm.column",
        initialisation=initialisation,
        agrees=True,
        rate=rate,
        ci_low=rate - 0.01,
        ci_high=rate + 0.01,
        log10_norms=(CurvePoint(1, -0.2), CurvePoint(10, -2.0), CurvePoint(100, -20.0)),
        lyapunov_exponent=-0.5,
        half_life=1.4,
        float32_horizon=31.0,
    )


class _Reader(HTMLParser):
    """Tags, what they refer to, and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "action") and value:
                self.targets.append(value)
            if name == "id" and value and tag not in ("g", "path", "clippath", "defs"):
                self.ids.append(value)


def _page(tmp_path: Path, records: list[Record], measured: Sequence[Measurement] = ()) -> str:
    write_report(build_contents(records, DocumentStatements(PRINTED), list(measured)), tmp_path)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_page_needs_no_network_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    text = _page(tmp_path, [_record("E-1"), _record("E-2")], [_decay()])
    reader = _Reader()
    reader.feed(text)
    external = [target for target in reader.targets if not target.startswith(("#", "data:"))]
    assert external == []
    linked = {
        target[1:]
        for target in reader.targets
        if target.startswith("#") and target[1:] in ("answer", "decay", "equations")
    }
    assert linked == {"answer", "decay", "equations"} <= set(reader.ids)
    assert "math" in reader.tags
    assert "svg" in reader.tags
    assert len(text) < 5_000_000


def test_a_print_that_is_wrong_stands_beside_its_reading_and_its_erratum(tmp_path: Path) -> None:
    text = _page(tmp_path, [_record("E-2")])
    assert text.count("<math") == 3, "the print, its reading, and the reading among the errata"
    assert "read as" in text
    assert "X-1: One bracket too many." in text


def test_outcomes_come_from_the_records_and_refutations_weigh_most(tmp_path: Path) -> None:
    rows = [_record("E-1"), _record("E-1", "numeric", Outcome.REFUTED, reason="off"), _record("E-2", "torch")]
    contents = build_contents(rows, DocumentStatements(PRINTED), [])
    assert [(row.id, row.outcome) for row in contents.equations] == [("E-1", "refuted"), ("E-2", "agrees")]
    assert contents.equations[0].witnesses["torch"] == "not run"
    assert contents.totals == {"refuted": 1, "agrees": 2, "vacuous": 0, "not run": 0}


def test_what_is_missing_is_said_with_the_command_that_makes_it(tmp_path: Path) -> None:
    text = _page(tmp_path, [_record("E-1")])
    assert "Nothing was measured: rnn-harness bench --records FILE, then report --from FILE." in text
    assert "not measured" in text


def test_text_of_candidates_is_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    kernel = _record("lstm.column", "kernel", kernel=evil, dtype="float32", device="cpu", check="precision.format")
    text = _page(tmp_path, [kernel], [_decay(subject=evil)])
    assert evil not in text
    assert "&lt;script&gt;" in text


def test_a_measurement_that_does_not_agree_is_not_on_the_page(tmp_path: Path) -> None:
    wrong = _decay(rate=0.123).model_copy(update={"agrees": False})
    assert "0.123" not in _page(tmp_path, [_record("E-1")], [wrong])


def test_a_family_has_learnt_what_one_of_its_learners_solved() -> None:
    def learnt(subject: str, solved: int) -> LearningMeasurement:
        return LearningMeasurement(
            subject=subject,
            spec="lstm.column",
            task="adding",
            task_title="add",
            sizes={"T": 20},
            training_steps=100,
            median=0.1,
            chance=1.0,
            seeds=3,
            seeds_solved=solved,
            seconds=1.0,
            parameters=1300,
        )

    rows = [learnt("RNN", 0), learnt("LSTM", 1), learnt("LSTM, chrono", 3)]
    contents = build_contents([], DocumentStatements(), rows)
    assert [row.learnt for row in contents.families] == ["adding not within 100 steps", "", "adding 3 of 3 (chrono)"]


def test_cells_are_compared_at_the_same_size_and_at_the_same_number_of_parameters() -> None:
    def timed(spec: str, n: int, d: int, seconds: float) -> SpeedMeasurement:
        return SpeedMeasurement(
            subject="reference",
            spec=spec,
            phase="both",
            agrees=True,
            sizes={"n": n, "d": d, "B": 16, "T": 50},
            median=seconds,
            ci_low=seconds,
            ci_high=seconds,
        )

    rows = [timed(spec, d, d, d / 1e5) for spec in ("rnn.tanh", "lstm.column") for d in (32, 128)]
    contents = build_contents([], DocumentStatements(), [*rows, timed("rnn.tanh", 128, 304, 0.008)])
    rnn, _, lstm = contents.families
    assert (rnn.equal_size, lstm.equal_size) == ("1.28 [1.28, 1.28] ms (reference, d = 128)",) * 2
    assert rnn.equal_count == "8.00 [8.00, 8.00] ms (reference, d = 304)"
    assert lstm.equal_count == lstm.equal_size


def test_the_same_records_make_the_same_page(tmp_path: Path) -> None:
    records, measured = [_record("E-1"), _record("E-2")], [_decay(), _decay(initialisation="chrono", rate=0.99)]
    assert _page(tmp_path / "one", records, measured) == _page(tmp_path / "two", records, measured)


def test_the_command_reads_what_verify_and_bench_write(tmp_path: Path) -> None:
    journal, bench = tmp_path / "verify.jsonl", tmp_path / "bench.jsonl"
    journal.write_text(_record("E-348").model_dump_json() + "\n")
    write_measurements(bench, [_decay()])
    result = RUN.invoke(app, ["report", "--from", str(journal), "--from", str(bench), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["equations"][0]["id"] == "E-348"
    assert report["decay"][0]["subject"] == "LSTM"
    assert "| LSTM |" in (tmp_path / "out" / "report.md").read_text()
    assert 'tests="1"' in (tmp_path / "out" / "report.xml").read_text()
    assert "1 equations, 0 refuted" in (tmp_path / "out" / "badge.svg").read_text()


@pytest.mark.parametrize(
    ("counts", "message", "colour"),
    [
        ({Outcome.AGREES: 3}, "2 equations, 0 refuted", "#0b6b45"),
        ({Outcome.AGREES: 3, Outcome.REFUTED: 1}, "2 equations, 1 refuted", "#b3261e"),
        ({}, "nothing decided", "#6a7380"),
    ],
)
def test_the_badge_says_what_the_totals_say(counts: dict[Outcome, int], message: str, colour: str) -> None:
    text = badge_svg(counts, 2)
    assert message in text
    assert colour in text


def test_a_file_that_holds_no_records_is_told_and_makes_no_report(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text("not json\nmore\n")
    result = RUN.invoke(app, ["report", "--from", str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "not a record" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_record_that_stands_twice_in_a_file_counts_once_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(2 * (_record("E-1").model_dump_json() + "\n"))
    result = RUN.invoke(app, ["report", "--from", str(path), "--out", str(tmp_path / "out")])
    assert "recorded twice, with one answer" in result.stderr
    assert 'tests="1"' in (tmp_path / "out" / "report.xml").read_text()


def test_records_of_two_files_that_answer_one_question_make_no_report(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(_record("E-1").model_dump_json() + "\n")
    files = ["--from", str(tmp_path / "a.jsonl"), "--from", str(tmp_path / "b.jsonl")]
    result = RUN.invoke(app, ["report", *files, "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "is answered twice" in result.stderr


@pytest.mark.skipif(shutil.which("chromium") is None, reason="not run: chromium is not installed")
def test_in_a_browser_the_script_runs_and_counts_the_rows(tmp_path: Path) -> None:
    _page(tmp_path, [_record("E-1"), _record("E-2")], [_decay()])
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--dump-dom",
        f"file://{tmp_path}/report.html",
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert re.search(r">2 of 2</output>", result.stdout)


def test_the_wedge_of_a_curve_is_the_interval_of_its_rate() -> None:
    decay = _decay(rate=0.6)
    low, high = interval_wedge(decay, (0, 10), (0.0, -2.0))
    assert (low[0], high[0]) == (0, 0)
    assert low[1] == pytest.approx(-2 + 10 * math.log10(0.59 / 0.6))
    assert high[1] == pytest.approx(-2 + 10 * math.log10(0.61 / 0.6))


def test_every_row_that_is_computed_has_the_command_that_makes_it_again(tmp_path: Path) -> None:
    write_report(build_contents([_record("E-348")], document_statements(), [_decay()]), tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for command in (
        "rnn-harness verify E-348",
        "rnn-harness bench decay --families lstm",
        "rnn-harness verify gru.keep.column lstm.column",
    ):
        assert f'data-copy="{command}"' in text


@pytest.mark.parametrize(
    ("plan", "option", "examples"), [("quick", " --quick", " --examples 0"), ("usual", "", ""), ("full", " --full", "")]
)
def test_the_copied_commands_make_the_numbers_of_their_own_page(
    plan: str, option: str, examples: str, tmp_path: Path
) -> None:
    measured = _decay().model_copy(update={"plan": plan})
    text = _page(tmp_path, [_record("E-1")], [measured])
    assert f'data-copy="rnn-harness bench decay --families lstm{option}"' in text
    assert f'data-copy="rnn-harness verify E-1{examples}"' in text
    assert ("This is a quick page" in text) == (plan == "quick")
