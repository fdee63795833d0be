"""What is typed on a machine with a GPU: the environment of tox, the wheels that are packed, flags that there are."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import typer.main
from packaging.requirements import Requirement
from packaging.version import Version

from rnn_harness.cli._app import app
from tests.repository.test_tox import ROOT, tox

THERE = {"torch": "2.11.0", "triton": "3.6.0"}
"""What the machine brings itself, built for its driver: no environment may ask for another."""


@pytest.fixture
def packing() -> ModuleType:
    """The script that packs wheels, as a module."""
    specification = importlib.util.spec_from_file_location("pack_for_gpu", ROOT / ".ci" / "pack_for_gpu.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def flags_of_gpu() -> set[str]:
    """The flags that `rnn-harness gpu` takes."""
    command = typer.main.get_command(app).commands["gpu"]  # type: ignore[attr-defined]
    return {flag for parameter in command.params for flag in parameter.opts}


def test_the_environment_for_a_gpu_takes_the_torch_and_triton_of_the_machine() -> None:
    section = tox()["testenv:gpu"]
    assert section["system_site_packages"] == "true"
    assert [line.strip() for line in section["set_env"].splitlines()] == ["", "{[testenv]set_env}", "PIP_CONSTRAINT ="]
    assert section["extras"] == "test"
    assert "deps" not in section
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [Requirement(line) for line in (*project["dependencies"], *project["optional-dependencies"]["test"])]
    specifiers = {requirement.name: requirement.specifier for requirement in asked}
    for name, version in THERE.items():
        assert Version(version) in specifiers[name], f"pip would replace the {name} of the machine"


def test_the_environment_for_a_gpu_runs_the_one_command_and_then_the_tests_that_wait_for_a_device() -> None:
    first, second = (line for line in tox()["testenv:gpu"]["commands"].splitlines() if line)
    assert first == "rnn-harness gpu {posargs:{tox_root}{/}reports{/}gpu}"
    assert second.endswith("{tox_root}{/}tests{/}gpu")
    assert sorted(path.name for path in (ROOT / "tests" / "gpu").glob("test_*.py")) == [
        "test_bounds_on_cuda.py",
        "test_kernels_on_cuda.py",
        "test_lengths_on_cuda.py",
        "test_sizes_on_cuda.py",
        "test_speed_on_cuda.py",
        "test_witness_on_cuda.py",
    ]


def test_every_flag_of_the_command_that_a_document_or_a_script_names_exists(packing: ModuleType) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "CONTRIBUTING.md", ROOT / "README.md")}
    texts |= {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")}
    texts |= {
        "packing": "\n".join(packing.commands_on_the_machine(Path("wheels"))),
        "tox": tox()["testenv:gpu"]["commands"],
    }
    named = {
        (name, flag)
        for name, text in texts.items()
        for command in re.findall(r"rnn[-_]harness gpu ([^`\n]*)", text)
        for flag in re.findall(r"--[a-z][a-z-]*", command)
    }
    assert {("packing", "--budget"), ("CONTRIBUTING.md", "--interpret")} <= named
    assert {pair for pair in named if pair[1] not in flags_of_gpu()} == set()


def test_a_dry_run_lists_the_wheels_and_the_commands_and_packs_nothing(
    packing: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packing, "pip", lambda *arguments: pytest.fail("pip was run"))
    packing.main([str(tmp_path / "wheels"), "--dry-run", "sympy"])
    assert not (tmp_path / "wheels").exists()
    lines = capsys.readouterr().out.splitlines()
    packed = [line.split("==")[0] for line in lines if "==" in line]
    assert {"numpy", "python-flint", "pydantic", "pydantic-core", "typer", "pytest", "pytest-xdist"} <= set(packed)
    assert not {"torch", "triton", "sympy", "mpmath"} & set(packed)
    assert packed == sorted(set(packed))
    assert lines[len(packed)] == f"rnn-harness, built from {ROOT}"
    assert lines[-3:] == [
        "on the GPU machine:",
        "    python3 -m pip install --no-index --no-deps --upgrade --target site wheels/*.whl",
        "    PYTHONPATH=site python3 -m rnn_harness gpu OUT --budget 480",
    ]


def test_wheels_are_downloaded_for_the_python_of_the_machine_and_counted(
    packing: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[str, ...]] = []

    def pip(*arguments: str) -> None:
        calls.append(arguments)
        (tmp_path / f"{arguments[0]}.whl").write_bytes(b"\0" * 2**20)

    monkeypatch.setattr(packing, "pip", pip)
    packing.main([str(tmp_path)])
    download, wheel = calls
    assert download[0] == "download"
    assert download[download.index("--python-version") + 1] == packing.PYTHON == "3.12"
    assert download[download.index("--only-binary") + 1] == ":all:"
    assert "manylinux_2_28_x86_64" in download
    assert not [text for text in download if text.startswith(("torch==", "triton=="))]
    assert wheel == ("wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT))
    assert capsys.readouterr().out.startswith(f"2 wheels, 2 MiB, in {tmp_path}\n")


@pytest.mark.parametrize("arguments", [[], ["--dry-run"], ["wheels", "--dry"]])
def test_a_wrong_command_line_of_the_script_is_told(packing: ModuleType, arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"expected the folder for the wheels: python \.ci/pack_for_gpu\.py"):
        packing.main(arguments)
