"""Records survive, damage is refused by its line, and files are written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnn_harness.cases.case import Case
from rnn_harness.engine.select import select
from rnn_harness.engine.verify import verify
from rnn_harness.errors import UsageError
from rnn_harness.records.journal import Journal
from rnn_harness.records.read_records import read_records
from rnn_harness.records.record import SCHEMA_VERSION, Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.atomic_file import write_whole

CASE = Case(spec="gru.keep.column", seed=4)


def record(entry: str = "E-001", **more: object) -> Record:
    base = {"entry": entry, "spec": "s", "check": "c", "witness": "numeric", "outcome": Outcome.AGREES}
    return Record.model_validate({**base, **more})


def test_records_survive_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    refuted = record("E-002", outcome=Outcome.REFUTED, error_over_bound=float("inf"), case=CASE, program="x = 1\n")
    rows = [record(), refuted]
    with Journal(path) as journal:
        for row in rows:
            journal.write(row)
    assert list(read_records(path)) == rows


def test_a_cut_off_last_line_is_reported_and_skipped_and_resuming_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    line = record().model_dump_json()
    path.write_text(line + "\n" + line[:40], encoding="utf-8")
    warnings: list[str] = []
    assert len(list(read_records(path, warnings))) == 1
    assert warnings == [f"{path}:2: the last record is cut off, and was skipped"]
    with Journal(path, resume=True) as journal:
        assert journal.warnings == warnings
        journal.write(record("E-009"))
    assert [one.entry for one in read_records(path)] == ["E-001", "E-009"]


def test_a_line_cut_inside_a_character_is_skipped_and_a_missing_end_of_line_is_added(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    line = record(reason="größer").model_dump_json().encode()
    path.write_bytes(line + b"\n" + line[: line.index("ö".encode()) + 1])
    with Journal(path, resume=True) as journal:
        assert journal.warnings == [f"{path}:2: the last record is cut off, and was skipped"]
    path.write_bytes(b"\xef\xbb\xbf" + line)
    with Journal(path, resume=True) as journal:
        assert journal.warnings == [f"{path}:1: the end of the last line is missing"]
        journal.write(record("E-009"))
    assert path.read_bytes() == line + b"\n" + record("E-009").model_dump_json().encode() + b"\n"


def test_damage_in_the_middle_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    line = record().model_dump_json()
    for damaged in (line[:40], "[" * 100_000, '{"seed": 1' + "0" * 5000 + "}", "3", "null", "\x00"):
        path.write_text(f"{damaged}\n{line}\n", encoding="utf-8")
        with pytest.raises(UsageError, match=r"r\.jsonl:1: not a record"):
            list(read_records(path))


@pytest.mark.parametrize(
    ("first", "second", "counts", "reason"),
    [
        ("agrees", "agrees", "agrees", "with one answer"),
        ("agrees", "refuted", "refuted", "the later counts"),
        ("refuted", "agrees", "refuted", "of the same; the refutation counts"),
    ],
)
def test_of_two_answers_one_counts_and_it_is_told(
    first: str, second: str, counts: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    lines = [record(outcome=outcome, depends_on="d").model_dump_json() for outcome in (first, second)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    warnings: list[str] = []
    assert [one.outcome for one in read_records(path, warnings)] == [counts]
    assert warnings[0].startswith(f"{path}:2: E-001, c is recorded twice")
    assert warnings[0].endswith(reason)


def test_a_second_run_on_a_file_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with Journal(path) as journal:
        with pytest.raises(UsageError, match="another run is writing to"):
            Journal(path, resume=True)
        journal.write(record())
    with Journal(path, resume=True) as journal:
        journal.write(record("E-009"))
    assert [file.name for file in tmp_path.iterdir()] == ["r.jsonl"]


def test_nothing_recorded_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(record().model_dump_json() + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="holds records already: give --resume"):
        Journal(path)
    with pytest.raises(UsageError, match="cannot write records to"):
        Journal(tmp_path / "none" / "r.jsonl")


def test_a_record_of_a_newer_schema_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    newer = json.dumps({**json.loads(record().model_dump_json()), "schema_version": SCHEMA_VERSION + 1, "more": 1})
    path.write_text(record().model_dump_json() + "\n" + newer + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=rf"jsonl:2: a record of schema {SCHEMA_VERSION + 1}, written by a newer"):
        list(read_records(path))


def test_a_record_without_a_schema_is_read_as_the_first_one(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    old = {k: v for k, v in json.loads(record().model_dump_json()).items() if k != "schema_version"}
    path.write_text(json.dumps(old) + "\n", encoding="utf-8")
    assert list(read_records(path)) == [record()]


def test_a_file_stays_as_it_was_where_the_new_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new\ud800")
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]
    assert path.read_text(encoding="utf-8") == "old"


def test_records_say_how_many_cases_were_asked_for() -> None:
    records = list(verify(select(["E-348"]), examples=0))
    assert {record.requested_examples for record in records} == {0}


@pytest.mark.parametrize(
    ("update", "sentence"),
    [
        ({"error_over_bound": 1e9}, r"it agrees, and its error is 1e\+09 times the bound"),
        ({"error_over_bound": float("nan")}, "it agrees, and its error is nan times the bound"),
        ({"examples": -7}, "-7 cases counted"),
    ],
    ids=["an error beyond its bound", "an error that is no number", "fewer cases than none"],
)
def test_a_record_that_contradicts_itself_is_refused(update: dict[str, float], sentence: str, tmp_path: Path) -> None:
    record = Record(entry="E-348", spec="s", check="backward.bound", witness="numeric", outcome=Outcome.AGREES)
    lines = [record.model_copy(update=changes).model_dump_json() for changes in (update, {"entry": "E-349"})]
    (tmp_path / "r.jsonl").write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(UsageError, match=f"r.jsonl:1: not a record: {sentence}"):
        list(read_records(tmp_path / "r.jsonl"))
