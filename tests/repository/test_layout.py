"""The repository itself: packages, import directions, file sizes, no stray numbers."""

from __future__ import annotations

import ast
import graphlib
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from tests.repository.source_tree import FOLDERS, ROOT, modules, own_imports


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_package_list_of_pyproject_is_the_folders_that_hold_an_init() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = set()
    for folder in FOLDERS.values():
        for init in (ROOT / folder).rglob("__init__.py"):
            parts = init.parent.relative_to(ROOT).parts
            folders.add(".".join(("rnn_harness", *(parts[1:] if parts[0] == "harness" else parts))))
    assert set(setuptools["packages"]) == folders


def test_top_level_holds_only_what_the_project_agreed_on() -> None:
    agreed = {"harness", "references", "specs", "tests", "reports", "tox.ini", "pyproject.toml"}
    extra = {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "constraints.txt"}
    extra |= {"docs", "MANIFEST.in"}
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    built = {"build", "dist"} | {name for name in visible if name.endswith(".egg-info")}
    if (ROOT / "PKG-INFO").exists():  # a source distribution, to which setuptools adds two files
        built |= {"PKG-INFO", "setup.cfg"}
    assert agreed <= visible
    assert visible - agreed - extra - built == set()


def test_no_file_is_longer_than_400_lines() -> None:
    paths = [*(module.path for module in modules()), *(ROOT / "tests").rglob("*.py")]
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}


def test_no_import_is_relative() -> None:
    wrong = [
        f"{module.where}:{node.lineno}"
        for module in modules()
        for node in module.nodes
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert wrong == []


def test_folders_import_each_other_in_one_direction() -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for imported in own_imports():
        target = [*imported.target.split("."), ""][1]
        # The package itself holds the public functions, and modules without imports (errors, families, array types).
        if target and imported.module.folder and target != imported.module.folder:
            graph[imported.module.folder].add(target)
    list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_nothing_private_is_imported_from_another_folder() -> None:
    public = {"rnn_harness.__main__"}
    packages = {module.name for module in modules() if module.path.name == "__init__.py"}
    wrong = []
    for imported in own_imports():
        home = imported.target if imported.target in packages else imported.target.rpartition(".")[0]
        here = (
            imported.module.name
            if imported.module.path.name == "__init__.py"
            else imported.module.name.rpartition(".")[0]
        )
        last = imported.target.rpartition(".")[2]
        private = (last.startswith("_") and imported.target not in public) or imported.name.startswith("_")
        if private and home != here:
            wrong.append(str(imported))
    assert wrong == []


STEPS = (
    "cells",
    "loading",
    "identification",
    "consistency",
    "diagnosis",
    "spec_search",
    "reproduction",
    "models",
    "judging",
)
"""The steps of a validation, each of which may import those before it."""


def test_steps_of_a_validation_import_only_the_steps_before_them() -> None:
    wrong = []
    for imported in own_imports():
        step, target = (name.split(".") for name in (imported.module.name, imported.target))
        inside = step[1:2] == target[1:2] == ["validation"] and len(step) > 3 and len(target) > 3
        if inside and STEPS.index(target[2]) > STEPS.index(step[2]):
            wrong.append(str(imported))
    assert wrong == []


LOWER = {
    "specs": ("specs",),
    "references": ("references",),
    "arithmetic": ("arithmetic", "specs", "array_types", "errors"),
    "derivatives": ("derivatives", "arithmetic", "specs", "subjects", "array_types", "errors"),
    "reports": ("reports", "records", "specs", "errors", "families", "printable", "runtime"),
}
"""What the folders whose independence matters may import, and nothing else."""


@pytest.mark.parametrize("folder", LOWER)
def test_a_folder_imports_only_what_it_is_allowed_to(folder: str) -> None:
    wrong = [
        str(imported)
        for imported in own_imports()
        if imported.module.folder == folder and [*imported.target.split("."), ""][1] not in LOWER[folder]
    ]
    assert wrong == []


def test_reports_take_nothing_of_specs_but_their_data() -> None:
    data = {"Claim", "Contradiction", "Equivalence", "Misprint", "Program", "Table", "Verdict"}
    data |= {"claims", "contradictions", "equivalences", "errata", "library", "misprints"}
    data |= {"DOCUMENT_TITLES", "document_title"}
    names = {
        imported.name or imported.target.rpartition(".")[2]
        for imported in own_imports()
        if imported.module.folder == "reports" and imported.target.startswith("rnn_harness.specs")
    }
    assert names <= data


@pytest.mark.parametrize(
    ("folder", "forbidden"), [("specs", {"torch"}), ("references", {"torch", "sympy"}), ("reports", {"torch"})]
)
def test_a_folder_keeps_heavy_libraries_out(folder: str, forbidden: set[str]) -> None:
    wrong = [
        f"{module.where}:{node.lineno}"
        for module in modules()
        if module.folder == folder
        for node in module.nodes
        if (isinstance(node, ast.Import) and {alias.name.split(".")[0] for alias in node.names} & forbidden)
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in forbidden)
    ]
    assert wrong == []


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


def _power_or_unit_fraction(node: ast.expr) -> float:
    """The value of a negative power of a literal, 1 / (a literal or a power of one), or Fraction(1, such); else 0."""
    match node:
        case ast.BinOp(ast.Constant(value=int() | float() as base), ast.Pow(), exponent):
            try:
                return float(base ** ast.literal_eval(exponent))
            except (ValueError, TypeError, OverflowError, ZeroDivisionError):
                return 0.0
        case ast.BinOp(ast.Constant(value=1 | 1.0), ast.Div(), divisor):
            return _inverse(divisor)
        case ast.Call(ast.Name("Fraction"), [ast.Constant(value=1), divisor]):
            return _inverse(divisor)
        case ast.Constant(value=float() as number):
            return number
    return 0.0


def _inverse(node: ast.expr) -> float:
    number = node.value if isinstance(node, ast.Constant) else _power_or_unit_fraction(node)
    return 1 / number if isinstance(number, int | float) and number else 0.0


def _small_numbers(tree: ast.Module) -> list[str]:
    """Numbers below a thousandth, written in any of these ways; coefficients of a kernel that Triton compiles are none.

    Triton's kernels see no constant of a module, so that a coefficient of a series has to stand in them.
    """
    compiled = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and "triton.jit" in map(ast.unparse, function.decorator_list)
        for node in ast.walk(function)
    }
    return [
        f"{node.lineno} holds {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and id(node) not in compiled and 0 < abs(_power_or_unit_fraction(node)) < 1e-3
    ]


def test_small_numbers_that_could_be_tolerances_stand_only_in_the_assumptions_module() -> None:
    wrong = [
        f"{module.where}:{number}"
        for module in modules()
        if module.name != "rnn_harness.arithmetic.assumptions"
        for number in _small_numbers(module.tree)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("a = 1e-6", 1),
        ("a = 2.0**-12", 1),
        ("a = 1 + 2**-30", 1),
        ("a = 10 ** -4", 1),
        ("a = 1 / 4096", 1),
        ("a = 1.0 / 2**20", 1),
        ("a = Fraction(1, 2**40)", 1),
        ("a = Fraction(1, 100_000)", 1),
        ("a = 2.0**-4, 2.0**40, 1 / 64, Fraction(1, 3), 0.01, -1, 2**n, 1 / n, x**2", 0),
        ("@triton.jit\ndef f(x):\n    return x * (1 / 5040)", 0),
        ("def f(x):\n    return x * (1 / 5040)", 1),
    ],
)
def test_a_small_number_is_seen_however_it_is_written(source: str, count: int) -> None:
    assert len(_small_numbers(ast.parse(source))) == count


def test_no_comparison_has_a_tolerance_that_nobody_chose() -> None:
    wrong = [
        f"{module.where}:{node.lineno} {ast.unparse(node)}"
        for module in modules()
        for node in module.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in {"isclose", "allclose", "assert_close", "assert_allclose"}
        if not {"rtol", "atol"} <= {keyword.arg for keyword in node.keywords}
    ]
    assert wrong == []


def test_attributes_named_by_data_are_read_in_one_place() -> None:
    known = {
        "harness/attributes.py",
        "harness/runtime/worker.py",  # what the standard library keeps to itself
        "harness/validation/__init__.py",  # the names that a package imports when they are asked for
        "specs/rewrite.py",  # nodes of this package's own trees
    }
    reads = {
        relative(module.path)
        for module in modules()
        for node in module.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr"
    }
    assert reads == known
