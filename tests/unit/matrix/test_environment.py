"""An environment is made once by what it shall hold, sees the packages of this one behind its own, and may fail."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from rnn_harness.matrix import environment
from rnn_harness.matrix.environment import make_environment
from rnn_harness.matrix.installers import EnvironmentNotMade, run_installer
from rnn_harness.matrix.suite import EnvironmentPlan

pytestmark = pytest.mark.process


def install_here(commands: list[Sequence[str]], module: str) -> Callable[[Sequence[str], float], None]:
    """Return what stands for pip: it writes a module where it would be installed."""

    def install(command: Sequence[str], seconds: float) -> None:
        commands.append(command)
        (packages,) = Path(str(commands[0][0])).parent.parent.glob("lib/python*/site-packages")
        (packages / "typer.py").write_text(module, encoding="utf-8")

    return install


def test_a_package_of_an_environment_stands_before_the_one_that_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[Sequence[str]] = []
    monkeypatch.setattr(environment, "install_command", lambda python, arguments: [str(python), *arguments])
    monkeypatch.setattr(environment, "run_installer", install_here(commands, "VERSION = 'of the environment'\n"))
    plan = EnvironmentPlan(requires=("typer==0.1",), no_dependencies=True)
    made = make_environment("old", plan, tmp_path, tmp_path)
    assert commands[0][1] == "--no-deps"
    assert "typer==0.1" in commands[0]
    assert made.version_of("torch")
    script = "import typer, rnn_harness; print(typer.VERSION)"
    answer = subprocess.run(
        [str(made.python), "-c", script], capture_output=True, text=True, env=made.process_variables(), check=True
    )
    assert answer.stdout.strip() == "of the environment"
    again = make_environment("old", plan, tmp_path, tmp_path)
    assert (again, len(commands)) == (made, 1)
    pins = Path(commands[0][commands[0].index("-c") + 1]).read_text(encoding="utf-8")
    assert pins.startswith("torch==")


def test_an_environment_that_could_not_be_filled_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def fail(*_: object) -> None:
        tries.append(1)
        raise EnvironmentNotMade("there is no such version")

    monkeypatch.setattr(environment, "run_installer", fail)
    plan = EnvironmentPlan(requires=("typer==0.1",))
    for _ in range(2):
        with pytest.raises(EnvironmentNotMade, match="no such version"):
            make_environment("old", plan, tmp_path, tmp_path)
    assert len(tries) == 2


def test_the_last_lines_of_an_installer_that_fails_are_its_reason() -> None:
    with pytest.raises(EnvironmentNotMade, match=r"first / ERROR: no matching distribution$"):
        run_installer(["sh", "-c", "echo first >&2; echo 'ERROR: no matching distribution' >&2; exit 1"], 20)
    with pytest.raises(EnvironmentNotMade, match="No such file"):
        run_installer(["/nowhere/pip"], 20)
