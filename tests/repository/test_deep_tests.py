"""Every test that the default run leaves out names a test of the default run that shows the same on fewer cases."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.repository.source_tree import ROOT


@dataclass(frozen=True)
class DeepMark:
    """A use of ``pytest.mark.deep``.

    Attributes:
        where: The file and the line.
        arguments: Its arguments, as they are written.
        named_test: The test that it names, ``path::function``; empty if it does not name exactly one.
    """

    where: str
    arguments: str
    named_test: str


def _is_deep(node: ast.expr) -> bool:
    function = node.func if isinstance(node, ast.Call) else node
    return (
        isinstance(function, ast.Attribute) and function.attr == "deep" and ast.unparse(function.value).endswith("mark")
    )


@cache
def _texts() -> dict[str, str]:
    files = sorted((ROOT / "tests").rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}


@cache
def _tree(path: str) -> ast.Module:
    return ast.parse(_texts()[path])


def _deep_marks() -> Iterator[DeepMark]:
    for path in (path for path, text in _texts().items() if "deep" in text):
        nodes = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.Call | ast.Attribute)]
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        for node in nodes:
            if id(node) in called or not _is_deep(node):
                continue
            arguments = node.args if isinstance(node, ast.Call) else []
            name = ""
            if len(arguments) == 1 and isinstance(arguments[0], ast.Constant):
                name = str(arguments[0].value)
            yield DeepMark(f"{path}:{node.lineno}", ", ".join(map(ast.unparse, arguments)), name)


def _tests_of_the_default_run(paths: set[str]) -> set[str]:
    return {
        f"{path}::{node.name}"
        for path in paths & set(_texts())
        for node in _tree(path).body
        if isinstance(node, ast.FunctionDef)
        if node.name.startswith("test_") and not any(map(_is_deep, node.decorator_list))
    }


def test_a_deep_test_names_a_test_of_the_default_run() -> None:
    marks = list(_deep_marks())
    assert marks, "no deep test was read"
    default_tests = _tests_of_the_default_run({mark.named_test.partition("::")[0] for mark in marks})
    assert {mark.where: mark.arguments for mark in marks if mark.named_test not in default_tests} == {}
