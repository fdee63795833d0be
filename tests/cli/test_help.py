"""The help of every command: nothing is cut, values have names, the exit codes stand there once, examples parse."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.cli._command_help import COMMANDS, PROGRAM, SPEC_COMMANDS, CommandHelp
from rnn_harness.cli._plain_command import plain_help
from rnn_harness.cli._target_options import ADAPTER_NAMES

HELPS: dict[str, CommandHelp] = {
    **COMMANDS,
    **{f"specs {name}": command_help for name, command_help in SPEC_COMMANDS.items()},
}
NAMES = ["", *HELPS]
JSON_HELP = "Write the result as JSON; - prints it instead of the text."
PROGRAM_COMMAND = typer.main.get_command(app)


@functools.cache
def help_text(name: str, columns: int = 80) -> str:
    """Return what ``--help`` prints."""
    done = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": str(columns)})
    assert done.exit_code == 0, done.output
    return done.stdout


def command_of(name: str) -> Any:
    """Return a command as typer knows it."""
    command: Any = PROGRAM_COMMAND
    for word in name.split():
        command = vars(command)["commands"][word]
    return command


def shown_rows(text: str, section: str) -> list[tuple[str, str]]:
    """Return the rows of a section of a help: what stands on the left, and the first line on the right."""
    lines = text.partition(f"\n{section}:\n")[2].partition("\n\n")[0].splitlines()
    rows = [re.fullmatch(r"  (\S.*?)  +(\S.*)", line) for line in lines if line[2:3] != " "]
    return [(row[1], row[2]) for row in rows if row is not None]


@pytest.mark.parametrize(
    "columns",
    [
        80,
        pytest.param(
            100,
            marks=pytest.mark.deep("tests/cli/test_help.py::test_a_help_fits_the_terminal_and_nothing_of_it_is_cut"),
        ),
    ],
)
@pytest.mark.parametrize("name", NAMES, ids=lambda name: name or "the program")
def test_a_help_fits_the_terminal_and_nothing_of_it_is_cut(name: str, columns: int) -> None:
    lines = help_text(name, columns).splitlines()
    assert [line for line in lines if len(line) > columns] == []
    assert [line for line in lines if line.rstrip().endswith("...") and not line.startswith("Usage:")] == []


def test_the_program_lists_every_command_with_its_line() -> None:
    listed = shown_rows(help_text(""), "Commands")
    assert listed == [(name, command_help.summary) for name, command_help in COMMANDS.items()]
    below = shown_rows(help_text("specs"), "Commands")
    assert below == [(name, command_help.summary) for name, command_help in SPEC_COMMANDS.items()]
    assert [row for row in listed + below if len(row[1]) > 60] == []


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name or "the program")
def test_a_help_tells_the_exit_codes_once(name: str) -> None:
    text = " ".join(help_text(name).split())
    assert len(re.findall(r"exit code", text, re.IGNORECASE)) == 1
    codes = re.findall(r"(?:Exit codes: |; )(\d+) ", text)
    assert codes == sorted(codes, key=int)
    assert {"0", "2", "4", "130", "141"} <= set(codes) <= {"0", "1", "2", "3", "4", "130", "141"}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name or "the program")
def test_every_value_has_a_name_in_capitals_and_no_type_beside_it(name: str) -> None:
    text = help_text(name)
    assert re.findall(r"<\w[^>]*>|\bx[<>]=|[<>]=?x\b|\[required\]|[{}]", text) == []
    shown = dict(row for section in ("Arguments", "Options") for row in shown_rows(text, section))
    for parameter in command_of(name).params:
        label = next(row for row in shown if parameter.opts[0] in row or row in (parameter.metavar,))
        takes_value = parameter.param_type_name == "argument" or not (parameter.is_flag or parameter.count)
        if takes_value:
            assert re.fullmatch(r"(.*--[\w-]+ )?[A-Z]+(=[A-Z]+| [A-Z]+)?", label), label


def test_the_result_goes_to_a_file_as_json_in_one_way() -> None:
    options = {name: parameter for name in HELPS for parameter in command_of(name).params if "--json" in parameter.opts}
    assert set(options) == {"validate", "identify", "compare", "convert", "verify", "kernels", "mutants"}
    assert {(option.metavar, option.help) for option in options.values()} == {(options["verify"].metavar, JSON_HELP)}
    assert options["verify"].metavar == "FILE"


def test_only_a_command_that_ends_with_a_verdict_can_be_quiet() -> None:
    quiet = {name for name in HELPS if any("--quiet" in parameter.opts for parameter in command_of(name).params)}
    assert set(HELPS) - quiet == {"explain", "kernels", "gpu", "specs", *(f"specs {name}" for name in SPEC_COMMANDS)}


def examples() -> Iterator[str]:
    """Yield the command lines of all examples."""
    for command_help in (PROGRAM, *HELPS.values()):
        yield from (line for line, _ in command_help.examples)


@pytest.mark.parametrize("line", dict.fromkeys(examples()))
def test_an_example_is_a_command_line_that_can_be_parsed(line: str) -> None:
    words = shlex.split(line)
    name = words[0] if words[0] != "specs" else " ".join(words[:2])
    command = command_of(name)
    context = command.make_context(name, words[len(name.split()) :], resilient_parsing=False)
    assert context.params


def test_the_adapters_of_the_help_are_those_that_ship() -> None:
    from rnn_harness.validation.loading.adapters import all_adapters

    shipped = {adapter.name for adapter in all_adapters() if type(adapter).__module__.startswith("rnn_harness.")}
    assert shipped == set(ADAPTER_NAMES)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Seconds.  [default: 120; 0.1<=x<=10000000.0]", "Seconds.  [default: 120]"),
        ("Seconds.  [x>=1]", "Seconds."),
        ("Dtypes.  [default: (both)]", "Dtypes.  [default: both]"),
        ("A cell.  [required]", "A cell."),
        ("Cells.  \\[default: (all); x>=1]", "Cells.  [default: all]"),
        ("Tables [[expected]].", "Tables [[expected]]."),
    ],
)
def test_a_range_is_left_out_of_a_help(text: str, plain: str) -> None:
    assert plain_help(text) == plain
