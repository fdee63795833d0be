"""The documentation is true: its commands print what the pages show, its examples run, its links lead somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from types import ModuleType

import pytest
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from tests.repository.source_tree import ROOT

DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
PAGES = sorted((DOCS / "pages").rglob("*.md"))
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_WIDTH = 100
pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="an installation without the documentation")


def shown_commands() -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield every command that a page shows: the page, its arguments, and the lines that it shows of the output."""
    for page in (ROOT / "README.md", *PAGES):
        for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, *lines = part.rstrip().splitlines()
                arguments = shlex.split(command)[1:]
                yield page.stem, arguments, [line for line in lines if line not in ("...", "")]


COMMANDS = list(shown_commands())
FAST = [command for command in COMMANDS if command[1][0] != "validate"]
VALIDATING = [command for command in COMMANDS if command[1][0] == "validate"]


def name_of(command: tuple[str, list[str], list[str]]) -> str:
    """Name a command for pytest."""
    return f"{command[0]}: {' '.join(command[1])}"


def check_command(command: tuple[str, list[str], list[str]]) -> None:
    """Run a command, and compare what its page shows with what it prints."""
    _, arguments, shown = command
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": str(_WIDTH)})
    printed = done.stdout.splitlines()
    assert shown, "a page shows a command without any output"
    assert [line for line in shown if line not in printed] == [], done.stdout


def generated() -> ModuleType:
    """Load the module that makes the generated pages."""
    spec = importlib.util.spec_from_file_location("generated_pages", DOCS / "generated_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("command", FAST, ids=name_of)
def test_a_command_prints_what_its_page_shows(
    command: tuple[str, list[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES)
    check_command(command)


@pytest.mark.deep("tests/cli/test_documentation.py::test_a_command_prints_what_its_page_shows")
@pytest.mark.process
@pytest.mark.parametrize("command", VALIDATING, ids=name_of)
def test_a_validation_prints_what_its_page_shows(
    command: tuple[str, list[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES)
    check_command(command)


def test_there_are_commands_of_both_kinds() -> None:
    assert len(FAST) >= 4
    assert len(VALIDATING) >= 3


def test_the_notebook_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    notebook = json.loads((EXAMPLES / "check_a_cell.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert "wrong" in names


@pytest.mark.deep("tests/cli/test_documentation.py::test_the_notebook_runs")
def test_the_example_in_python_prints_what_its_comments_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    text = (EXAMPLES / "in_python.py").read_text(encoding="utf-8")
    exec(compile(text, "in_python.py", "exec"), {})
    assert capsys.readouterr().out.splitlines() == re.findall(r"print\(.*\)  # (.*)", text)


def test_every_page_is_in_the_navigation_and_every_link_leads_somewhere() -> None:
    module = generated()
    made = set(module.generate_pages()) | {f"reference/schema/{name}.json" for name in module.SCHEMAS}
    settings = (DOCS / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r": ([\w/-]+\.md)$", settings, re.MULTILINE))
    written = {page.relative_to(DOCS / "pages").as_posix() for page in PAGES}
    pages = written | {"explanation/bounds.md"} | {name for name in made if name.endswith(".md")}
    assert listed == pages
    files = {f"examples/{path.name}" for path in EXAMPLES.iterdir()}
    files |= {f"pictures/{path.name}" for path in (ROOT / "reports" / "pictures").iterdir()}
    broken = []
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", page.read_text(encoding="utf-8")):
            where = (page.parent / link).resolve()
            name = where.relative_to(DOCS / "pages").as_posix()
            if name not in pages | files | made:
                broken.append(f"{page.name}: {link}")
    assert broken == []


def test_the_reference_names_every_command_and_every_check() -> None:
    pages = generated().generate_pages()
    for command in ("verify", "validate", "explain", "bench", "specs show"):
        assert f"## rnn-harness {command}\n" in pages["reference/commands.md"]
    for check in ("backward.bound", "metamorphic.causality", "wiring.rows", "consistency.rows-apart"):
        assert f"### {check}\n" in pages["reference/checks.md"]
    assert "## gru.keep.column" in pages["reference/specs.md"]
