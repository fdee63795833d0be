"""The documentation is true: its commands print what the pages show, its examples run, its links lead somewhere."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_includes_files_that_there_are(page: Path) -> None:
    """A formatter of code in Markdown has broken the sign of an inclusion before; the site then shows the sign."""
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if re.match(r"-+ ?8", line)]
    for line in lines:
        included = re.fullmatch(r'--8<-- "([\w.]+)"', line)
        assert included is not None, line
        assert (EXAMPLES / included[1]).is_file()


@pytest.mark.deep("tests/cli/test_documentation.py::test_a_page_includes_files_that_there_are")
def test_the_table_of_wrong_cells_is_what_other_tests_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    script = importlib.import_module("docs.examples.measure_gradient_checks")
    page = (DOCS / "pages" / "explanation" / "why-not-gradcheck.md").read_text(encoding="utf-8")
    rows = {
        "gradcheck": r"`torch.autograd.gradcheck`, float64",
        "gradcheck, fast mode": r"`gradcheck\(fast_mode=True\)`",
        "check_grads": r"`jax.test_util.check_grads`, float64",
        "numgrad": r"numgrad 0.3.0.*",
        "allclose": r"`torch.allclose`.*",
    }
    for test, names in script.noticed_cells().items():
        shown = re.search(rf"^\| {rows[test]} \| .* \| (\d+) of 43 \|$", page, re.MULTILINE)
        assert shown is not None, test
        assert int(shown[1]) == len(names), test


def test_every_page_is_in_the_navigation_and_every_link_leads_somewhere() -> None:
    module = generated()
    made = set(module.generate_pages()) | set(module.generate_schemas())
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


INVENTED = (
    r"\bmanners\b|\bin use\b|\blaws\b|\bheld against\b|\bholds? .* against\b|\blearnt\b|\bparted by\b|[Ss]omebody's|"
    r"\bleaves? aside\b|\bsees no further\b|\bfloat32 sees\b|[Dd]ecides? (every )?equation|\?\.?$"
)
"""Words of this project alone, which readers stumbled upon, and sentences that are questions."""


def commands_and_options() -> Iterator[tuple[str, str, str]]:
    """Yield every command and each of its options: the command, the option (empty for the command), and the help."""

    def walk(name: str, command: Any) -> Iterator[tuple[str, str, str]]:
        yield name, "", command.help or ""
        for parameter in command.params:
            yield name, parameter.opts[0], parameter.help or ""
        for below in vars(command).get("commands", {}).values():
            yield from walk(f"{name} {below.name}", below)

    yield from walk("rnn-harness", typer.main.get_command(app))


def test_every_option_has_a_help_that_needs_no_word_of_this_project() -> None:
    rows = [row for row in commands_and_options() if row[1] != "--help"]
    assert len(rows) > 100
    assert [row[:2] for row in rows if not row[2]] == []
    assert [row for row in rows if re.search(INVENTED, row[2])] == []


def test_the_reference_names_every_command_and_every_check() -> None:
    pages = generated().generate_pages()
    for command in ("verify", "validate", "explain", "bench", "specs show"):
        assert f"## rnn-harness {command}\n" in pages["reference/commands.md"]
    for check in ("backward.bound", "metamorphic.causality", "wiring.rows", "consistency.rows-apart"):
        assert f"### {check}\n" in pages["reference/checks.md"]
    assert "## gru.keep.column" in pages["reference/specs.md"]
