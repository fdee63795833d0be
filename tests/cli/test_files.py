"""What validate reads and writes: maps, weights, known failures, JSON, JUnit, a program; and replay."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.runtime.worker import Ending, WorkerEnded
from rnn_harness.validation import replay_isolated
from rnn_harness.validation.replay_isolated import ReplayedCheck
from tests.helpers import HELPERS
from tests.helpers.run_program import run_until_its_assertion

pytestmark = pytest.mark.usefixtures("in_process", "in_float64")
CELLS = HELPERS / "user_cells.py"
RUN = CliRunner()


def _validate(name: str, *arguments: str) -> Any:
    return RUN.invoke(app, ["validate", f"{CELLS}:{name}", "--examples", "0", *arguments])


def test_the_json_has_what_a_program_wants_to_know(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    assert _validate("GRUWithoutReset", "--json", str(path)).exit_code == 1
    found = json.loads(path.read_text())
    assert set(found) == {
        "kind", "schema_version",
        "target", "outcome", "spec", "identification", "diagnosis", "checks", "counterexample", "environment",
        "model",
    }  # fmt: skip
    assert found["outcome"] == "refuted"
    assert found["diagnosis"]["difference"] == "the reset gate is not used"
    assert found["counterexample"]["sizes"] == {"n": 1, "d": 1, "T": 1, "B": 1}


def test_json_to_the_terminal_is_all_that_is_printed() -> None:
    found = _validate("GRUWithoutReset", "--json", "-")
    assert json.loads(found.stdout)["outcome"] == "refuted"


def _program(name: str, folder: Path) -> Path:
    """Validate a wrong cell and return the program that shows its counterexample."""
    path = folder / "repro.py"
    assert _validate(name, "--repro", str(path)).exit_code == 1
    text = path.read_text()
    assert "import rnn_harness" not in text
    assert len(text.splitlines()) <= 30
    return path


@pytest.mark.parametrize(
    "name", ["GRUWithoutReset", "HalfTrainedGRU", "LinearOutputLSTM", "SubtractsInAList", "LastStateShrinks"]
)
def test_the_program_fails_by_its_assertion(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_until_its_assertion(_program(name, tmp_path))
    assert "expected" in capsys.readouterr().out


def test_the_program_needs_no_harness(tmp_path: Path) -> None:
    command = [sys.executable, str(_program("GRUWithoutReset", tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "AssertionError" in done.stderr
    assert "expected" in done.stdout


def test_without_a_counterexample_no_program_is_written(tmp_path: Path) -> None:
    path = tmp_path / "repro.py"
    found = _validate("PackedGRU", "--repro", str(path))
    assert found.exit_code == 0
    assert "there is no counterexample" in found.stderr
    assert not path.exists()


def test_junit_sarif_and_annotations_say_what_is_refuted_and_where_the_class_stands(tmp_path: Path) -> None:
    path, log = tmp_path / "found.xml", tmp_path / "found.sarif"
    done = _validate("GRUWithoutReset", "--junit", str(path), "--sarif", str(log), "--github")
    line = 1 + CELLS.read_text(encoding="utf-8").splitlines().index("class GRUWithoutReset(JoinedGRU):")
    (result,) = json.loads(log.read_text(encoding="utf-8"))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": line}
    (annotation,) = (row for row in done.stdout.splitlines() if row.startswith("::error file="))
    assert f",line={line},title={result['ruleId']}::" in annotation
    assert "the reset gate is not used" in annotation
    (suite,) = ElementTree.parse(path).getroot().findall("testsuite")
    assert suite.get("failures") == "1"
    assert "the reset gate is not used" in (suite.find("testcase/failure").get("message") or "")  # type: ignore[union-attr]


def test_annotations_do_not_stand_beside_a_document() -> None:
    done = _validate("PackedGRU", "--json", "-", "--github")
    assert done.exit_code == 2
    assert "--github prints lines beside the document of --json -: write it with --json FILE" in done.stderr


def test_a_map_that_was_saved_can_be_given_back(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    assert RUN.invoke(app, ["identify", f"{CELLS}:PackedGRU", "--save-map", str(path)]).exit_code == 0
    pieces = json.loads(path.read_text())["pieces"]
    assert {"parameter": "W", "name": "W_xr", "block": 0, "of": 3, "side": "", "flipped": False} in pieces
    assert _validate("PackedGRU", "--map", str(path)).exit_code == 0


def test_a_map_with_two_gates_exchanged_refutes_the_cell(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    RUN.invoke(app, ["identify", f"{CELLS}:PackedGRU", "--save-map", str(path)])
    given = json.loads(path.read_text())
    swap = {"W_xr": "W_xz", "W_xz": "W_xr"}
    for piece in given["pieces"]:
        piece["name"] = swap.get(piece["name"], piece["name"])
    path.write_text(json.dumps(given))
    found = _validate("PackedGRU", "--map", str(path))
    assert found.exit_code == 1
    assert "the parameters are not where the map has them: block 0 of W is W_xr, not W_xz" in " ".join(
        found.stdout.split()
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "not JSON"), ("{}", "Field required"), ('{"cell": {"family": "gru", "colour": 1}}', "Field required")],
)
def test_a_broken_map_is_told(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text(text)
    found = _validate("PackedGRU", "--map", str(path))
    assert found.exit_code == 2
    assert told in found.stderr
    assert "--save-map" in found.stderr


def _expecting(tmp_path: Path, text: str) -> str:
    path = tmp_path / "known.toml"
    path.write_text(text)
    return str(path)


def test_a_known_failure_is_no_refutation_and_one_that_does_not_happen_is(tmp_path: Path) -> None:
    known = "".join(
        f'[[expected]]\ncheck = "{check}"\nreason = "its weights are frozen by half"\n'
        for check in (
            "backward.*",
            "scale.*",
            "precision.long",
            "behaviour.smallest-sizes",
            "behaviour.frozen-*",
        )
    )
    found = _validate("HalfTrainedGRU", "--expect", _expecting(tmp_path, known))
    assert found.exit_code == 0, found.stdout
    assert "its weights are frozen by half" in " ".join(found.stdout.split())
    spare = known + '[[expected]]\ncheck = "behaviour.intact"\nreason = "once it did"\n'
    again = _validate("HalfTrainedGRU", "--expect", _expecting(tmp_path, spare))
    assert again.exit_code == 1
    told = " ".join(again.stdout.split())
    assert "behaviour.intact was expected to fail (once it did), but it agrees now: remove the entry" in told


def test_a_cell_that_is_known_to_be_another_one_is_not_refuted(tmp_path: Path) -> None:
    known = '[[expected]]\ncheck = "identification.unique"\nreason = "it never resets"\n'
    found = _validate("GRUWithoutReset", "--expect", _expecting(tmp_path, known))
    assert found.exit_code == 3, found.stdout  # nothing else of it can be decided
    assert "identification.unique: it never resets" in " ".join(found.stdout.split())


def test_a_file_of_known_failures_with_a_mistake_is_told(tmp_path: Path) -> None:
    found = _validate("PackedGRU", "--expect", _expecting(tmp_path, '[[expected]]\ncheck = "x"\n'))
    assert found.exit_code == 2
    assert "expected.0.reason: Field required" in found.stderr


@pytest.mark.parametrize("pattern", ["*", "?ehaviour.*", "[a-z]*.intact"])
def test_a_pattern_that_fits_every_check_is_refused(pattern: str, tmp_path: Path) -> None:
    text = f'[[expected]]\ncheck = "{pattern}"\nreason = "whatever"\n'
    found = _validate("PackedGRU", "--expect", _expecting(tmp_path, text))
    assert found.exit_code == 2
    assert "fits checks of every group: name the group, as backward.*" in found.stderr


_RECORDED: dict[str, str] = {}


def _recorded(name: str, path: Path) -> Path:
    """Write the records of a wrong cell, which is validated once for all tests of a process."""
    if name not in _RECORDED:
        assert _validate(name, "--records", str(path)).exit_code == 1
        _RECORDED[name] = path.read_text()
    path.write_text(_RECORDED[name])
    return path


def test_replay_runs_what_was_refuted_again(tmp_path: Path, in_process: None) -> None:
    path = _recorded("HalfTrainedGRU", tmp_path / "found.jsonl")
    chosen = ("precision.format", "backward.screen", "backward.bound")  # the others take as long again
    rows = [row for line in path.read_text().splitlines() if (row := json.loads(line))["check"] in chosen]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = RUN.invoke(app, ["replay", str(path)])
    assert found.exit_code == 1
    assert "backward.bound" in found.stdout
    assert "still refuted" in found.stdout
    right = next(i for i, row in enumerate(rows, 1) if row["check"] == "precision.format")
    one = RUN.invoke(app, ["replay", f"{path}:{right}"])
    assert one.exit_code == 0
    assert "agrees now" in one.stdout


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_files.py::test_replay_runs_what_was_refuted_again")
def test_replay_runs_in_a_worker(tmp_path: Path) -> None:
    path = _recorded("HalfTrainedGRU", tmp_path / "found.jsonl")
    lines = path.read_text().splitlines()
    refuted = next(i for i, line in enumerate(lines, 1) if json.loads(line)["check"] == "backward.bound")
    assert RUN.invoke(app, ["replay", f"{path}:{refuted}"]).exit_code == 1


def test_a_replay_of_what_ends_its_worker_decides_nothing_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _recorded("HalfTrainedGRU", tmp_path / "found.jsonl")
    refuted = [line for line in path.read_text().splitlines() if json.loads(line)["outcome"] == "refuted"][:2]
    path.write_text("\n".join(refuted) + "\n")
    answers: Iterator[list[object]] = iter(
        [[WorkerEnded(Ending.SIGNAL, "its process was ended by SIGSEGV", "SIGSEGV")], [ReplayedCheck(1, True, "")]]
    )
    monkeypatch.setattr(replay_isolated, "run_in_worker", lambda *_, **__: iter(next(answers)))
    found = RUN.invoke(app, ["replay", str(path)])
    assert "not run: its process was ended by SIGSEGV when it was run again" in found.stdout
    assert "agrees now" in found.stdout
    assert found.exit_code == 0
    answers = iter([[WorkerEnded(Ending.EXIT, "its process ended with exit code 0")]] * 2)
    assert RUN.invoke(app, ["replay", str(path)]).exit_code == 3


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        ("nowhere.jsonl", "there is no file nowhere.jsonl; expected a file with records"),
        ("{}:99", "there is no number 99"),
    ],
)
def test_replay_of_what_is_not_there_is_a_wrong_use(recorded: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    _validate("GRUWithoutReset", "--json", str(path))
    found = RUN.invoke(app, ["replay", recorded.format(path)])
    assert found.exit_code == 2
    assert told in found.stderr
