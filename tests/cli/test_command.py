"""The command as a user meets it: what it prints, how it ends, what it refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rnn_harness.cli._app import app
from tests.helpers import HELPERS

SPEC = """id = "mine"
title = "A cell of mine"
inputs = { x = "n" }
states = { h = "d" }
parameters = { W = "d n", U = "d d" }

[[equations]]
id = "F-001"
line = 1
printed = 'h_t = \\tanh(W x_t + U h_{t-1})'
"""


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "160"})


def run_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a shell does."""
    command = [sys.executable, "-m", "rnn_harness", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_help_teaches_the_commands_and_the_exit_codes() -> None:
    done = run("--help")
    assert done.exit_code == 0
    for word in ("verify", "mutants", "specs", "Exit codes: 0 nothing refuted"):
        assert word in done.stdout


@pytest.mark.process
def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['rnn-harness', '--help']\n"
        "from rnn_harness.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ('torch', 'sympy', 'hypothesis', 'numpy', 'flint', 'pydantic', 'lark', 'importlib.metadata')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


@pytest.mark.process
def test_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert run_process("--version").stdout == f"rnn-harness {version('rnn-harness')}\n"


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["specs", "show", "E-348"], 0),
        pytest.param(
            ["identify", f"{HELPERS / 'user_cells.py'}:GRUWithoutReset"],
            1,
            marks=pytest.mark.deep(
                "tests/cli/test_validate_command.py::test_identify_says_what_it_is_as_text_as_json_and_as_a_map"
            ),
        ),
        (["verify", "E-3488"], 2),
    ],
    ids=["right", "refuted", "wrong use"],
)
def test_the_process_ends_with_the_exit_code_of_the_command(arguments: list[str], exit_code: int) -> None:
    done = run_process(*arguments)
    assert done.returncode == exit_code
    assert bool(done.stdout) != (exit_code == 2)
    signs_of_life = re.compile(r"rnn-harness: \d+ s")  # on a busy machine
    errors = [line for line in done.stderr.splitlines() if not signs_of_life.match(line)]
    assert bool(errors) == (exit_code == 2)
    assert "Traceback" not in done.stderr


def test_one_equation_is_decided_by_every_witness_and_its_erratum_is_listed() -> None:
    done = run("verify", "e-348", "--examples", "1")
    assert done.exit_code == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if "E-348" in line)
    assert row.count("✓") == 4
    assert "X-005" in row
    assert "')' closes nothing" in done.stdout
    assert "0 refuted" in done.stdout


def test_json_is_one_document_with_every_record() -> None:
    done = run("verify", "E-105", "--examples", "1", "--json", "-")
    data = json.loads(done.stdout)
    assert data["exit_code"] == done.exit_code == 0
    witnesses = {record["witness"] for record in data["records"] if record["entry"] == "E-105"}
    assert witnesses == {"text", "reference", "numeric", "symbolic", "torch"}
    assert all(record["outcome"] == "agrees" for record in data["records"])


def test_a_file_takes_the_same_document_beside_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    done = run("verify", "loss.cross_entropy", "--json", str(path))
    assert done.exit_code == 0
    assert "0 refuted" in done.stdout
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["exit_code"] == 0
    assert {record["spec"] for record in data["records"]} == {"loss.cross_entropy"}
    refused = run("verify", "loss.cross_entropy", "--json", str(tmp_path))
    assert refused.exit_code == 2
    assert f"cannot write {tmp_path}: it is a folder" in refused.stderr


def test_records_are_written_and_resumed_without_deciding_again(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    assert run("verify", "loss.cross_entropy", "--records", str(path)).exit_code == 0
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) >= 5
    again = run("verify", "loss.cross_entropy", "--records", str(path))
    assert again.exit_code == 2
    assert "holds records already: give --resume" in again.stderr
    path.write_text("\n".join([*lines[:-1], lines[-1][:30]]), encoding="utf-8")
    resumed = run("verify", "loss.cross_entropy", "--records", str(path), "--resume")
    assert resumed.exit_code == 0
    assert "the last record is cut off, and was skipped" in resumed.stderr
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(lines)
    assert path.read_text(encoding="utf-8").splitlines()[0] == lines[0]


def test_going_on_with_another_number_of_cases_decides_anew_and_tells_it(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    arguments = ["verify", "rnn.sigma", "--records", str(path)]
    assert run(*arguments, "--examples", "2").exit_code == 0
    lines = path.read_text(encoding="utf-8").splitlines()
    same_request = run(*arguments, "--examples", "2", "--resume")
    assert same_request.stderr == ""
    assert path.read_text(encoding="utf-8").splitlines() == lines
    other_request = run(*arguments, "--examples", "3", "--resume")
    assert other_request.exit_code == 0
    assert f"{len(lines)} records of {path} were decided anew" in other_request.stderr
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {row["requested_examples"] for row in rows} == {3}
    assert len(rows) == len(lines)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_ends_with_a_sentence_and_shows_what_was_decided() -> None:
    done = run("verify", "loss.cross_entropy", "--records", "/dev/full")
    assert done.exit_code == 2
    assert "cannot write records to /dev/full: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "1 agrees" in done.stdout


def test_a_spec_file_of_ones_own_is_decided_without_a_reference(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SPEC, encoding="utf-8")
    done = run("verify", str(path), "--json", "-")
    assert done.exit_code == 0, done.stderr
    outcomes = {r["witness"]: r["outcome"] for r in json.loads(done.stdout)["records"]}
    assert outcomes == {
        "text": "agrees",
        "numeric": "agrees",
        "symbolic": "agrees",
        "torch": "agrees",
        "reference": "not run",
    }
    assert run("specs", "check", str(path)).stdout.startswith(f"{path}: mine, 1 equations")


def test_a_table_of_ones_own_equations_is_named_after_the_file_and_the_cell(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SPEC, encoding="utf-8")
    lines = run("verify", str(path)).stdout.splitlines()
    assert lines[0] == "mine.toml"
    assert "mine: A cell of mine" in next(line for line in lines if "F-001" in line)


def test_check_refuses_the_ids_that_verify_refuses(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for old, new, message in (("F-001", "E-348", "equation id E-348"), ('"mine"', '"rnn.sigma"', "spec id rnn.sigma")):
        path.write_text(SPEC.replace(old, new), encoding="utf-8")
        for command in (["verify", str(path)], ["specs", "check", str(path)]):
            done = run(*command)
            assert done.exit_code == 2
            assert f"{message} is taken" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "E-3488"], "there is no equation, spec or document 'E-3488'; did you mean E-348"),
        (["verify", "gru.keep.colum"], "did you mean gru.keep.column"),
        (["verify", "none.toml"], "none.toml: there is no such file"),
        (["verify", "--resume"], "--resume goes on with a file of records"),
        (["verify", "E-105", "--records", "/none/at/all.jsonl"], "cannot write records to /none/at/all.jsonl"),
        (["verify", "--examples", "-1"], "given was '-1' (rnn-harness verify --help lists what it takes)"),
        (["verify", "Q-99"], "there is no equation, spec or document 'Q-99'; did you mean Q-"),
        (["verify", "009"], "there is no equation, spec or document '009'; did you mean 00"),
        (["specs", "show", "E-9"], "there is no equation, spec, pair, erratum or document 'E-9'"),
        (["specs", "show", "Q-99"], "did you mean Q-"),
        (["specs", "show", "Q-18", "--backward"], "Q-18 is no equation and no spec: it has no backward"),
        (["specs", "show", "E-316", "--backward"], "E-316 is no equation of a step"),
        (["specs", "check", "none.toml"], "there is no such file"),
        (["mutants", "nothing like it"], "no mutant's name contains 'nothing like it'"),
        (["mutants", ""], "'' is no part of a mutant's name: leave it out to mean all of them"),
        (["kernels", ""], "'' is no kernel: leave it out"),
        (["verify", "--kernels", ""], "'' is no kernel: leave it out"),
        (["verify", "--kernels", "./mine.toml"], "./mine.toml: a spec file, and --kernels takes kernels"),
        (["verfiy"], "No such command 'verfiy'"),
        (["specs", "shwo"], "No such command 'shwo'"),
        (["specs", "gru"], "type `rnn-harness specs show gru` for an id, `rnn-harness specs literature gru` to search"),
        (["validate", "none.py:Cell", "--init", "n=3", "m=4"], "there is no file none.py"),
        (["validate", "none.py:Cell", "n=3"], "Got unexpected extra argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_ends_with_a_sentence_and_exit_code_2(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_malformed_spec_file_is_told_with_file_line_and_expectation(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SPEC.replace("h_{t-1})'", "h_{t-1}))'"), encoding="utf-8")
    for command in (["verify", str(path)], ["specs", "check", str(path)]):
        done = run(*command)
        assert done.exit_code == 2
        assert f"{path}:8: F-001" in done.stderr
        assert "closes nothing" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_wrong_print_refutes_and_ends_with_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    good = "reading = 'h_t = \\tanh(W x_t + U h_{t-1})'\n"
    path.write_text(SPEC + good, encoding="utf-8")
    assert run("verify", str(path)).exit_code == 0
    path.write_text(SPEC.replace("U h_{t-1})'", "U q_{t-1})'") + good, encoding="utf-8")
    done = run("verify", str(path))
    assert done.exit_code == 1
    assert "no erratum declares what the audit finds: q is not declared" in done.stdout


def test_nothing_decided_ends_with_exit_code_3() -> None:
    done = run("verify", "loss.cross_entropy", "--json", "-")
    assert done.exit_code == 0
    from rnn_harness.cli._recorded_run import exit_code
    from rnn_harness.records.record import Record
    from rnn_harness.records.verdict import Outcome

    idle = Record(entry="E-1", spec="s", check="c", witness="text", outcome=Outcome.NOT_RUN)
    assert exit_code([idle]) == 3
    assert exit_code([]) == 3


def test_an_equation_is_shown_as_printed_with_reading_shapes_and_backward() -> None:
    done = run("specs", "show", "E-348", "--backward")
    assert done.exit_code == 0
    assert "printed    \\mathbf{g}_{(t)}" in done.stdout
    assert "reading    \\mathbf{g}_{(t)}" in done.stdout
    assert "W_hg : d×d  (parameter)" in done.stdout
    assert "\\delta_{g,t}" in done.stdout
    listing = run("specs").stdout
    assert all(name in listing for name in ("E-001", "E-405", "T-004", "lstm.peephole"))


@pytest.mark.parametrize(
    ("name", "phrases"),
    [
        ("q-18", ("Q-18  ", "left       gru.keep.column", "right      gru.reset_after", "expected   different")),
        ("X-005", ("E-348: One closing parenthesis too many", "printed    \\mathbf{g}_{(t)}", "reading    ")),
        ("mgu", ("Minimal gated unit (Zhou 2016)", "file       mgu.toml (arXiv 1603.09420; ", "U_h : d×d")),
        ("X-006", ("000:34  ReLU", "right      a node that computes 1 - x")),
        ("X-050", ("what an open update gate does", "evidence   Q-01, Q-02")),
        ("003", ("E-348", "003:852", "X-005", "gru.keep.column")),
    ],
    ids=[
        "a pair",
        "an erratum of an equation",
        "a cell of a paper",
        "an erratum elsewhere",
        "a contradiction",
        "a document",
    ],
)
def test_an_id_of_any_kind_is_shown(name: str, phrases: tuple[str, ...]) -> None:
    done = run("specs", "show", name)
    assert done.exit_code == 0, done.stderr
    assert [phrase for phrase in phrases if phrase not in done.stdout] == []


def test_mutants_are_listed_and_a_few_are_judged() -> None:
    listing = run("mutants", "peephole", "--list").stdout
    assert "lstm.output peephole at the old cell state" in listing
    rows = json.loads(run("mutants", "peephole", "--list", "--json", "-").stdout)
    assert "lstm.output peephole at the old cell state" in [row["mutant"] for row in rows]
    assert all({"part", "spec", "edit"} <= set(row) for row in rows)
    done = run("mutants", "bias doubled", "--json", "-")
    assert done.exit_code == 0
    (row,) = json.loads(done.stdout)
    assert row["killed"]
    assert {kill["check"] for kill in row["kills"]} >= {"forward.equation", "backward.bound"}


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_control_c_keeps_what_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    command = [sys.executable, "-m", "rnn_harness", "verify", "--records", str(path)]
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job may ignore it
    )
    for _ in range(600):
        if path.exists() and path.stat().st_size > 1000:
            break
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "interrupted after" in errors
    assert "--resume goes on" in errors
    assert "Traceback" not in errors
    assert len(path.read_text(encoding="utf-8").splitlines()) > 1
