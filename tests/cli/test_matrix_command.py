"""``rnn-harness matrix``: what it judges, keeps, uses again, writes and ends with; targets are judged by a stand-in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rnn_harness.cli._app import app
from rnn_harness.matrix import run as matrix_run
from rnn_harness.matrix.judging import TargetJob
from rnn_harness.records.judged_target import JudgedTarget, read_judged_targets, write_judged_targets
from rnn_harness.records.matrix import Matrix
from tests.helpers.judged_targets import RIGHT, WRONG, judged_target

SUITE = """
title = "Mine"
[[targets]]
package = "torch"
target = "mine:Right"
[[targets]]
package = "torch"
target = "mine:Wrong"
review = "Looked at by hand."
[[targets]]
package = "numpy"
target = "mine:Absent"
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the targets that were judged, which is done here at once."""
    names: list[str] = []

    def judge(job: TargetJob) -> JudgedTarget:
        names.append(job.target.name)
        about = {
            "package": job.target.package,
            "depends_on": job.depends_on,
            "review": job.target.review,
            "date": f"2026-11-{len(names):02}T00:00:00Z",
        }
        absent = {"ending": "not driven", "validation": None, "reason": "it is not there"}
        judged = judged_target(job.target.name, WRONG if job.target.target == "mine:Wrong" else RIGHT)
        return judged.model_copy(update={**about, **(absent if job.target.target == "mine:Absent" else {})})

    monkeypatch.setattr(TargetJob, "judge", judge)
    monkeypatch.setattr(matrix_run, "target_digest", lambda suite, target, environment: f"digest of {target.name}")
    return names


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(SUITE, encoding="utf-8")
    return path


def run(suite: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["matrix", str(suite), "--output", str(suite.parent / "out"), *options])


def table(suite: Path) -> Matrix:
    return Matrix.model_validate_json((suite.parent / "out" / "matrix.json").read_text(encoding="utf-8"))


def test_a_run_writes_table_page_badges_defects_records_and_ends_as_the_worst_target(
    suite: Path, asked: list[str]
) -> None:
    done = run(suite)
    assert done.exit_code == 1, done.output
    assert "1 of 3 implementations agree, 1 refuted, 1 undecided or not driven" in done.stdout
    out = suite.parent / "out"
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    tables = {"matrix.json", "matrix.md", "matrix.html", "defects.md", "history.json", "records.jsonl.gz"}
    assert files == {*tables, "badges/torch.svg", "badges/numpy.svg"}
    assert [row.ending for row in table(suite).rows] == ["agrees", "refuted", "not driven"]
    assert "Looked at by hand." in (out / "defects.md").read_text(encoding="utf-8")


def test_a_part_of_the_targets_is_judged_and_the_others_stay(suite: Path, asked: list[str]) -> None:
    run(suite)
    before = table(suite).rows[0].date
    done = run(suite, "--only", "Wrong")
    assert asked == ["mine:Right", "mine:Wrong", "mine:Absent", "mine:Wrong"]
    assert done.exit_code == 1
    rows = table(suite).rows
    assert [row.name for row in rows] == ["mine:Right", "mine:Wrong", "mine:Absent"]
    assert (rows[0].date, rows[1].date) == (before, "2026-11-04T00:00:00Z")
    assert len(json.loads((suite.parent / "out" / "history.json").read_text())) == 2


def test_a_run_that_was_interrupted_is_gone_on_with(suite: Path, asked: list[str]) -> None:
    out = suite.parent / "out"
    out.mkdir()
    finished = judged_target("mine:Right", depends_on="digest of mine:Right")
    changed = judged_target("mine:Wrong", WRONG, depends_on="digest of something else")
    lines = "".join(f"{row.model_dump_json()}\n" for row in (finished, changed))
    (out / "judged.jsonl").write_text(lines + '{"name": "cut', encoding="utf-8")
    refused = run(suite)
    assert refused.exit_code == 2
    assert "give --resume to go on" in refused.stderr
    assert run(suite, "--resume").exit_code == 1
    assert asked == ["mine:Wrong", "mine:Absent"]
    assert not (out / "judged.jsonl").exists()
    assert len(read_judged_targets(out / "records.jsonl.gz")) == 3


def test_the_table_is_written_again_from_the_records_alone(suite: Path, asked: list[str]) -> None:
    run(suite)
    before = {path.name: path.read_bytes() for path in (suite.parent / "out").iterdir() if path.is_file()}
    assert run(suite, "--table").exit_code == 1
    assert len(asked) == 3
    assert {path.name: path.read_bytes() for path in (suite.parent / "out").iterdir() if path.is_file()} == before


def test_agreement_alone_ends_with_0_and_what_is_not_driven_with_3(suite: Path, asked: list[str]) -> None:
    suite.write_text(SUITE.partition('[[targets]]\npackage = "torch"\ntarget = "mine:Wrong"')[0], encoding="utf-8")
    assert run(suite).exit_code == 0
    suite.write_text(SUITE.replace("mine:Wrong", "mine:Other"), encoding="utf-8")
    assert run(suite).exit_code == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "keras"], "--only 'keras': no target has that in its name; there are targets of torch, numpy"),
        (["--table"], "holds no records: run rnn-harness matrix"),
        (["--table", "--resume"], "--table judges nothing: leave out --resume and --only"),
        (["--backend", "dask"], "--backend dask needs --scheduler"),
        (["--output", "/proc/none"], "cannot write to /proc/none"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_said_before_anything_is_judged(
    suite: Path, asked: list[str], options: list[str], message: str
) -> None:
    done = run(suite, *options)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())
    assert asked == []


def test_a_plan_lists_environments_and_targets_and_does_nothing(suite: Path, asked: list[str]) -> None:
    done = run(suite, "--plan")
    assert done.exit_code == 0
    assert "here: the packages that are here" in done.stdout
    assert "3 targets of 2 packages" in done.stdout
    assert asked == []
    assert not (suite.parent / "out").exists()


def test_a_damaged_line_of_records_is_named(suite: Path, asked: list[str]) -> None:
    run(suite)
    records = suite.parent / "out" / "records.jsonl.gz"
    rows = read_judged_targets(records)
    write_judged_targets(records, rows)
    first = records.read_bytes()
    write_judged_targets(records, rows)
    assert records.read_bytes() == first
    (suite.parent / "out" / "judged.jsonl").write_text('{"name": 3}\n{"name": 4}\n', encoding="utf-8")
    done = run(suite, "--table")
    assert done.exit_code == 2
    assert "judged.jsonl:1: no judged target: name: Input should be a valid string" in " ".join(done.stderr.split())


@pytest.mark.process
@pytest.mark.deep("tests/unit/matrix/test_judging.py::test_the_document_that_the_process_writes_is_read")
def test_a_cell_is_judged_in_an_environment_of_its_own(tmp_path: Path) -> None:
    text = 'title = "Mine"\ndtypes = ["float32"]\n[environments.mine]\n[[targets]]\npackage = "torch"\n'
    suite = tmp_path / "mine.toml"
    suite.write_text(f'{text}target = "torch.nn:RNNCell"\nenvironment = "mine"\n', encoding="utf-8")
    done = run(suite, "--environments", str(tmp_path / "environments"))
    assert done.exit_code == 0, done.output
    assert table(suite).rows[0].computes == "rnn.tanh"
