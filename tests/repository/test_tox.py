"""What tox runs is what the documents promise."""

from __future__ import annotations

import configparser
import os
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tox() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    return parser


def test_every_promised_environment_exists() -> None:
    sections = {name.removeprefix("testenv:") for name in tox().sections() if name.startswith("testenv:")}
    assert {"suite", "deep", "tests", "lint", "types", "verify", "gpu", "bench", "libraries", "browser"} <= sections


def test_tests_run_on_the_wheel_from_another_directory_under_the_constraints() -> None:
    base = tox()["testenv"]
    assert base["package"] == "wheel"
    assert base["change_dir"] == "{env_tmp_dir}"
    assert "PIP_CONSTRAINT = {tox_root}{/}constraints.txt" in base["set_env"]


def test_the_oldest_versions_that_are_admitted_are_those_that_are_tested() -> None:
    """Of torch, the one build of the project's machines is tested; older ones have no wheels for the processor here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = "\n".join((*project["dependencies"], *project["optional-dependencies"]["test"]))
    admitted = dict(re.findall(r"^([\w-]+)(?:\[.*\])?>=([\d.]+)", requirements, re.MULTILINE))
    lines = (ROOT / ".ci" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    tested = dict(line.split("==") for line in lines if "==" in line)
    assert set(tested) == set(admitted)
    wrong = {
        name: (bound, tested[name])
        for name, bound in admitted.items()
        if name not in ("torch", "triton") and tested[name] not in (bound, f"{bound}.0")
    }
    assert wrong == {}
    assert "PIP_CONSTRAINT = {tox_root}{/}.ci{/}lowest.txt" in tox()["testenv:lowest"]["set_env"]


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    command = re.search(r"^(python3 -m venv .*tox run)$", readme, re.MULTILINE)
    assert command is not None, "README.md shows no test command"
    steps = [step.strip().replace(" --quiet", "") for step in command[1].split("&&")]
    lines = [line.replace(" --quiet", "") for line in script.splitlines() if ".venv" in line]
    assert lines == [*steps, ".venv/bin/tox run -e libraries,browser,docs"]
