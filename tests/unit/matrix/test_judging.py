"""A target is judged by the interpreter of its environment: what it writes, how it ends, and that it ends."""

from __future__ import annotations

import pickle
import stat
from pathlib import Path

import pytest

from rnn_harness.matrix import judging
from rnn_harness.matrix.environment import Environment
from rnn_harness.matrix.installers import EnvironmentNotMade
from rnn_harness.matrix.judging import TargetJob, target_digest
from rnn_harness.matrix.suite import Suite, SuiteTarget
from rnn_harness.records.judged_target import JudgedTarget
from tests.helpers.judged_targets import validation

SUITE = Suite(title="Mine", targets=(SuiteTarget(package="mine", target="mine:Cell", init=("bias=false",)),), total=1.0)
WRITES = """#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" = --json ] && file=$2; shift; done
"""


def environment(folder: Path, script: str) -> Environment:
    """An environment whose interpreter is a script."""
    python = folder / "python"
    python.write_text(WRITES + script, encoding="utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return Environment("mine", python, {"mine": "1.0"}, {"COLOUR": "blue"})


def judged(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, suite: Suite = SUITE) -> JudgedTarget:
    """Judge a target in an environment whose interpreter is a script."""
    made = environment(folder, script)
    monkeypatch.setattr(judging, "environment_of", lambda *_: made)
    return TargetJob(suite, suite.targets[0], folder, folder).judge()


@pytest.mark.process
def test_the_document_that_the_process_writes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "answer.json").write_text(validation().model_dump_json(), encoding="utf-8")
    row = judged(tmp_path, monkeypatch, f'cp {tmp_path}/answer.json "$file"\nexit 0\n')
    assert (row.ending, row.version, row.versions) == ("agrees", "1.0", "python 3.11")
    assert row.validation == validation()


@pytest.mark.process
@pytest.mark.parametrize(
    ("script", "ending", "reason"),
    [
        ("echo 'rnn-harness: mine has no Cell' >&2; exit 2", "not driven", "mine has no Cell"),
        ("echo Traceback >&2; echo 'KeyError: 3' >&2; exit 4", "not judged", "exit code 4: KeyError: 3"),
        ('echo "{}" > "$file"; exit 0', "not judged", "exit code 0: it said nothing"),
        ("kill -9 $$", "not judged", "exit code -9: it said nothing"),
    ],
    ids=["it cannot be driven", "the harness fails", "the document is none", "the process is killed"],
)
def test_a_process_without_a_document_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, ending: str, reason: str
) -> None:
    row = judged(tmp_path, monkeypatch, script)
    assert (row.ending, row.reason, row.validation) == (ending, reason, None)


@pytest.mark.process
def test_a_process_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "SECONDS_BESIDES", -0.5)
    row = judged(tmp_path, monkeypatch, f"sleep 60 & echo $! > {tmp_path}/child\nsleep 60\n")
    assert (row.ending, row.reason) == ("not judged", "the validation was not done after 0.5 s")
    status = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/stat")
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.process
def test_a_process_gets_the_options_of_suite_and_target_and_the_variables_of_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    python = tmp_path / "python"
    made = environment(tmp_path, "")
    python.write_text(f'#!/bin/sh\necho "$COLOUR$PYTHONPATH $@" > {tmp_path}/words\n', encoding="utf-8")
    monkeypatch.setattr(judging, "environment_of", lambda *_: made)
    target = SuiteTarget(package="mine", target="cells/mine.py:Cell", init=("bias=false",), adapter="torch")
    TargetJob(SUITE.model_copy(update={"seed": 7}), target, tmp_path, Path("/suite")).judge()
    words = (tmp_path / "words").read_text().split()
    assert words[:5] == ["blue", "-m", "rnn_harness", "validate", "/suite/cells/mine.py:Cell"]
    for option in ("--init bias=false", "--adapter torch", "--seed 7", "--dtype float64", "--dtype float32"):
        assert option in " ".join(words)


def test_an_environment_that_cannot_be_made_and_a_package_that_is_not_there_are_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = TargetJob(SUITE, SUITE.targets[0], tmp_path, tmp_path)

    def fail(*_: object) -> Environment:
        raise EnvironmentNotMade("pip says no")

    monkeypatch.setattr(judging, "environment_of", fail)
    assert (job.judge().ending, job.judge().reason) == ("not judged", "pip says no")
    monkeypatch.setattr(judging, "environment_of", lambda *_: Environment("e", tmp_path, {}, {}))
    assert job.judge().reason == "e holds no distribution mine"


def test_a_job_can_go_to_another_process_and_its_digest_follows_what_it_depends_on(tmp_path: Path) -> None:
    job = TargetJob(SUITE, SUITE.targets[0], tmp_path, tmp_path, "x")
    assert pickle.loads(pickle.dumps(job)) == job
    target = SUITE.targets[0]
    here = Environment("e", tmp_path, {"mine": "1.0"}, {})
    digest = target_digest(SUITE, target, here)
    assert digest == target_digest(SUITE, target.model_copy(update={"review": "looked at"}), here)
    assert digest != target_digest(SUITE, target, Environment("e", tmp_path, {"mine": "1.1"}, {}))
    assert digest != target_digest(SUITE, target.model_copy(update={"init": ()}), here)
    assert digest != target_digest(SUITE.model_copy(update={"seed": 1}), target, here)
