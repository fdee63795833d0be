"""Which module of the kernels may import which: drivers and checks know nothing of what catalogues and judges them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from rnn_harness import kernels

KERNELS = Path(kernels.__file__).parent
ROOT = "rnn_harness.kernels"
ABOVE_DRIVERS = ("catalogue", "judge", "judge_in_workers", "kernel", "torch_reference", "checks")
ABOVE_CHECKS = ("catalogue", "judge", "judge_in_workers", "kernel", "drivers")


def _imported_modules(path: Path) -> set[str]:
    """Name every module that a file imports, inside functions too; a name that is imported counts as a module."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    return modules


def _breaches(folder: str, forbidden: tuple[str, ...]) -> list[str]:
    """List the imports in a folder, and below it, of modules that it may not know."""
    return [
        f"{path.relative_to(KERNELS)} imports {module}"
        for path in sorted((KERNELS / folder).rglob("*.py"))
        for module in sorted(_imported_modules(path))
        if any(module == f"{ROOT}.{name}" or module.startswith(f"{ROOT}.{name}.") for name in forbidden)
    ]


@pytest.mark.parametrize(("folder", "forbidden"), [("drivers", ABOVE_DRIVERS), ("checks", ABOVE_CHECKS)])
def test_a_folder_imports_nothing_of_what_stands_above_it(folder: str, forbidden: tuple[str, ...]) -> None:
    assert list((KERNELS / folder).rglob("*.py")), "there is nothing to look at"
    assert _breaches(folder, forbidden) == []


def test_of_the_kernels_only_the_catalogue_imports_drivers() -> None:
    importers = {
        path.name
        for path in KERNELS.glob("*.py")
        if any(module.startswith(f"{ROOT}.drivers") for module in _imported_modules(path))
    }
    assert importers == {"catalogue.py"}


def test_an_import_of_the_catalogue_by_a_driver_would_be_noticed() -> None:
    assert _breaches("drivers", ("packing",))
