"""Read the package's source files for the tests of this folder: modules, imports, bound names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"rnn_harness": "harness", "specs": "specs", "references": "references", "reports": "reports"}


@dataclass(frozen=True)
class Module:
    """One source file of the package.

    Attributes:
        name: The dotted name under which it is imported.
        path: The file.
        tree: Its syntax tree.
    """

    name: str
    path: Path
    tree: ast.Module

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree, which many tests walk over."""
        return tuple(ast.walk(self.tree))

    @property
    def folder(self) -> str:
        """The folder of the package that holds it, ``""`` for the package itself."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else ""

    @property
    def where(self) -> str:
        """The file's path in the repository."""
        return self.path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Import:
    """One imported name.

    Attributes:
        module: The module that imports.
        line: The line of the import.
        target: The module that is imported, or the one that the name is imported from.
        name: The imported name, ``""`` if it is the module itself.
    """

    module: Module
    line: int
    target: str
    name: str

    def __str__(self) -> str:
        return f"{self.module.where}:{self.line} imports {self.target}{'.' if self.name else ''}{self.name}"


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    return tuple(
        Module(_dotted(path), path, ast.parse(path.read_text(encoding="utf-8")))
        for folder in FOLDERS.values()
        for path in sorted((ROOT / folder).rglob("*.py"))
    )


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[1:] if parts[0] == "harness" else parts
    return ".".join(("rnn_harness", *parts)).removesuffix(".__init__")


@cache
def own_imports() -> tuple[Import, ...]:
    """Every import of the package by the package, those inside functions included."""
    known = {module.name for module in modules()}
    return tuple(_imports(known))


def _imports(known: set[str]) -> Iterator[Import]:
    for module in modules():
        for node in module.nodes:
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rnn_harness":
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    if whole in known:
                        yield Import(module, node.lineno, whole, "")
                    else:
                        yield Import(module, node.lineno, f"{node.module}", alias.name)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.split(".")[0] == "rnn_harness":
                        yield Import(module, node.lineno, alias.name, "")


def bound_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The names that a file binds, with their lines: variables, fields, arguments, functions, classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
