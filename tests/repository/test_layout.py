"""The repository itself: packages, import directions, file sizes, no stray numbers."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"rnn_harness": "harness", "specs": "specs", "references": "references", "reports": "reports"}
SOURCES = sorted(path for folder in FOLDERS.values() for path in (ROOT / folder).rglob("*.py"))
PYTHON = sorted([*SOURCES, *(ROOT / "tests").rglob("*.py")])


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}:{node.lineno} imports relatively"
            yield f"{node.module}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_package_list_of_pyproject_is_the_folders_that_hold_an_init() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found = set()
    for folder in FOLDERS.values():
        for init in (ROOT / folder).rglob("__init__.py"):
            parts = init.parent.relative_to(ROOT).parts
            found.add(".".join(("rnn_harness", *(parts[1:] if parts[0] == "harness" else parts))))
    assert set(setuptools["packages"]) == found


def test_top_level_holds_only_what_the_project_agreed_on() -> None:
    agreed = {"harness", "references", "specs", "tests", "reports", "tox.ini", "pyproject.toml"}
    extra = {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "constraints.txt"}
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    built = {"build", "dist"} | {name for name in visible if name.endswith(".egg-info")}
    assert agreed <= visible
    assert visible - agreed - extra - built == set()


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_file_stays_under_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("specs", ("rnn_harness.references", "rnn_harness.reports", "rnn_harness.arithmetic", "torch")),
        (
            "references",
            ("rnn_harness.specs", "rnn_harness.reports", "rnn_harness.arithmetic", "torch", "sympy"),
        ),
        ("harness/arithmetic", ("rnn_harness.references",)),
        ("harness/derive", ("rnn_harness.references",)),
        ("reports", ("rnn_harness.references", "rnn_harness.checks", "torch")),
    ],
    ids=lambda value: value if isinstance(value, str) else "imports none of the others",
)
def test_imports_point_one_way(folder: str, forbidden: tuple[str, ...]) -> None:
    own = "rnn_harness." + folder.split("/")[-1]
    wrong = [
        f"{relative(path)} imports {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in imported(path)
        if name.startswith(forbidden)
        or (folder in ("specs", "references") and name.startswith("rnn_harness.") and not name.startswith(own))
    ]
    assert wrong == []


def test_reports_import_records_and_the_data_of_specs_alone() -> None:
    allowed = (
        *("rnn_harness.records", "rnn_harness.reports", "rnn_harness.specs"),
        *("rnn_harness.families", "rnn_harness.errors", "rnn_harness.runtime.atomic_file"),
    )
    data = {"Claim", "Contradiction", "Equivalence", "Misprint", "Program", "Table", "Verdict"}
    data |= {"claims", "contradictions", "equivalences", "errata", "library", "misprints"}
    for path in sorted((ROOT / "reports").rglob("*.py")):
        for name in imported(path):
            if name.startswith("rnn_harness."):
                assert name.startswith(allowed), f"{relative(path)} imports {name}"
            if name.startswith("rnn_harness.specs."):
                assert name.split(".")[-1] in data, f"{relative(path)} imports {name}"


def test_torch_sympy_and_hypothesis_are_never_imported_at_the_top_of_the_command() -> None:
    heavy = ("torch", "sympy", "hypothesis", "flint", "numpy")
    for path in sorted((ROOT / "harness" / "cli").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [
            alias.name if isinstance(node, ast.Import) else node.module or ""
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        ]
        assert [name for name in names if name.split(".")[0] in heavy] == []


def test_small_numbers_that_could_be_tolerances_stand_only_in_the_assumptions_module() -> None:
    allowed = ROOT / "harness" / "arithmetic" / "assumptions.py"
    found = [
        f"{relative(path)}:{node.lineno} holds {node.value!r}"
        for path in SOURCES
        if path != allowed
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < abs(node.value) < 1e-3
    ]
    assert found == []
