"""The pages of the reference that the program itself knows: commands, checks, specs, JSON Schemas of its files."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter
from typer.testing import CliRunner

from rnn_harness.check_guide import GROUPS, CheckDescription, describe_checks
from rnn_harness.cli._app import app
from rnn_harness.matrix import Suite
from rnn_harness.records.comparison import Comparison
from rnn_harness.records.conversion import Conversion
from rnn_harness.records.kill_matrix import MutantResult
from rnn_harness.records.matrix import Matrix
from rnn_harness.records.measurement import Measurement
from rnn_harness.records.parameter_map_file import MapFile, SpecMapFile
from rnn_harness.records.record import Record
from rnn_harness.records.record_document import RecordDocument
from rnn_harness.records.validation import Validation
from rnn_harness.reports.page.glossary import GLOSSARY
from rnn_harness.reports.page.render import CONTENTS_ADAPTER
from rnn_harness.specs import library, search_literature
from rnn_harness.specs.plain_text import assignment_text
from rnn_harness.specs.schema import SpecModel
from rnn_harness.validation.judging.expected_failures import ExpectedFailure

_SCHEMAS: dict[str, tuple[TypeAdapter[Any], str]] = {
    "spec": (TypeAdapter(SpecModel), "A spec file (TOML), as `verify FILE.toml` and `--spec FILE.toml` read it."),
    "record": (TypeAdapter(Record), "A line of a file of records: `--records FILE` of `verify` and `validate`."),
    "records": (TypeAdapter(RecordDocument), "What `verify --json FILE` writes."),
    "validation": (TypeAdapter(Validation), "What `validate --json FILE` writes."),
    "comparison": (TypeAdapter(Comparison), "What `compare --json FILE` writes."),
    "conversion": (TypeAdapter(Conversion), "What `convert --json FILE` writes."),
    "measurement": (TypeAdapter(Measurement), "A line of what `bench --records FILE` writes."),
    "report": (CONTENTS_ADAPTER, "What `report` writes beside the page: `report.json`."),
    "suite": (TypeAdapter(Suite), "A suite of targets (TOML), as `matrix SUITE.toml` reads it."),
    "matrix": (TypeAdapter(Matrix), "The table that `matrix` writes: `matrix.json`."),
    "mutant": (TypeAdapter(MutantResult), "A row of what `mutants --json FILE` writes."),
    "parameter-map": (TypeAdapter(MapFile), "What `--save-map` writes and `--map` reads: of an RNN, a GRU or an LSTM."),
    "spec-map": (TypeAdapter(SpecMapFile), "The same of a cell that is compared with a spec file or the literature."),
    "expected-failure": (TypeAdapter(ExpectedFailure), "A table `[[expected]]` of `cell.expected.toml`."),
}
"""The files that are read or written, by the name of their schema."""


def generate_pages() -> dict[str, str]:
    """Return the generated pages by their path in the site."""
    return {
        "reference/commands.md": _commands_page(),
        "reference/checks.md": _checks_page(),
        "reference/specs.md": _specs_page(),
        "reference/formats.md": _formats_page(),
        "reference/glossary.md": _glossary_page(),
    }


def generate_schemas() -> dict[str, str]:
    """Return the JSON Schemas by their path in the site."""
    return {
        f"reference/schema/{name}.json": json.dumps(model.json_schema(), indent=1) + "\n"
        for name, (model, _) in _SCHEMAS.items()
    }


def _commands_page() -> str:
    """Write the help of every command, as the terminal shows it."""
    names = [command.name or "" for command in app.registered_commands]
    groups = [(group.name or "", group.typer_instance) for group in app.registered_groups]
    below = [f"{name} {command.name}" for name, group in groups if group for command in group.registered_commands]
    every_name = ["", *names, *(name for name, _ in groups), *below]
    return "\n".join(["# Commands\n", *map(_command_section, every_name)])


def _command_section(name: str) -> str:
    """Write the help of one command."""
    done = CliRunner().invoke(app, [*name.split(), "--help"], prog_name="rnn-harness", env={"COLUMNS": "100"})
    assert done.exit_code == 0, done.output
    return f"## {f'rnn-harness {name}'.strip()}\n\n```text\n{done.stdout.strip()}\n```\n"


def _checks_page() -> str:
    """Write every check, by its group."""
    checks = describe_checks()
    sections = [
        "# Checks\n",
        f"{len(checks)} checks in {len(GROUPS)} groups, from the registry; `rnn-harness explain NAME` prints it too.\n",
    ]
    for group, title in GROUPS.items():
        of_group = [check for check in checks.values() if check.group == group]
        if of_group:
            sections += [f"## {group}\n", f"{title[:1].upper()}{title[1:]}.\n", *map(_check_section, of_group)]
    return "\n".join(sections)


def _check_section(check: CheckDescription) -> str:
    """Write a check: what it does, its bound, the mutants that it must kill."""
    lines = [f"### {check.name}\n", check.summary, check.detail, f"\n*Bound*: {check.bound}."]
    if check.dtypes:
        lines.append(f"*Formats*: {', '.join(check.dtypes)}.")
    if check.kills:
        lines.append(f"*Must kill*: {'; '.join(check.kills)}.")
    return "\n".join(line for line in lines if line) + "\n"


def _specs_page() -> str:
    """Write the cells of the documents with their equations, and list those of the literature."""
    sections = ["# Specs\n", "`@` is a matrix product, `*` multiplies entry by entry, `.T` transposes.\n"]
    for spec in library().cells:
        equations = [assignment_text(part) for entry in spec.equations for part in spec.assignment(entry.id)]
        sections += [f"## {spec.id}\n", f"{_escaped(spec.title)}.\n", "```text", *equations, "```\n"]
    sections += ["## Cells of the literature\n", "| id | cell | source |", "|---|---|---|"]
    sections += [
        f"| `{spec.id}` | {_escaped(spec.title)} | {_escaped(f'{spec.model.document}; {spec.model.source}')} |"
        for spec in search_literature("")
    ]
    return "\n".join(sections) + "\n"


def _formats_page() -> str:
    """List the files that are read and written, each with its JSON Schema."""
    rows = [f"| {sentence} | [`{name}.json`](schema/{name}.json) |" for name, (_, sentence) in _SCHEMAS.items()]
    return "\n".join(["# File formats\n", "| file | JSON Schema |", "|---|---|", *rows, ""])


def _glossary_page() -> str:
    """List the terms of the page and of the documentation."""
    terms = sorted(GLOSSARY.items(), key=_by_name)
    return "\n".join(["# Glossary\n", *(f"**{term}**: {text}.\n" for term, text in terms)])


def _by_name(term: tuple[str, str]) -> str:
    """Return a term in small letters, by which terms are sorted."""
    return term[0].lower()


def _escaped(text: str) -> str:
    """Return a text for a cell of a table in Markdown."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
