"""``rnn-harness specs``: all equations, and one equation in full."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from rnn_harness.cli._command_help import SPEC_COMMANDS
from rnn_harness.cli._draft import draft_specs
from rnn_harness.cli._plain_command import PlainCommand
from rnn_harness.cli._shared import exit_codes_of_text
from rnn_harness.cli._show import list_entries, show_id
from rnn_harness.cli._wrong_use import SpecCommands
from rnn_harness.cli.arguments import refuse_taken_ids

app = typer.Typer(
    cls=SpecCommands,
    help="List all equations (without a command), show one, or check or draft a spec file.",
    rich_markup_mode=None,
)


def _registered(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command below ``specs`` with what its help says."""
    command_help = SPEC_COMMANDS[name]
    return app.command(name, cls=PlainCommand, short_help=command_help.summary, epilog=command_help.epilog)


@app.callback(invoke_without_command=True)
@exit_codes_of_text
def _list(context: typer.Context) -> None:
    """List all equations, where no command is given."""
    if context.invoked_subcommand is not None:
        return
    from rnn_harness.specs import library

    list_entries([(spec, entry) for spec in library().specs for entry in spec.entries])
    typer.echo("next: rnn-harness specs show E-348  (one in full; add --backward for its derivative)")


@_registered("show")
@exit_codes_of_text
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="An equation (E-348), spec (gru.keep.column, mgu), pair of specs (Q-18), erratum (X-005) or document "
            "(003).",
        ),
    ],
    backward: Annotated[
        bool, typer.Option("--backward", help="Also print the derived backward equations, as LaTeX.")
    ] = False,
) -> None:
    """Print an equation as its document prints it, the reading taken, shapes, parameters, errata.

    Or print what an id of another kind stands for: a pair of specs (Q-18), an erratum (X-005), a contradiction, a
    document (003).
    """
    show_id(name, backward)


@_registered("literature")
@exit_codes_of_text
def literature(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORD", help="Words of an id, a title or a paper.", show_default="all cells"),
    ] = None,
) -> None:
    """List the cells of the literature, or those that hold some words; --spec takes their ids."""
    from rnn_harness.specs import search_literature

    found = search_literature(" ".join(words or []))
    for spec in found:
        typer.echo(f"{spec.id:24} {spec.title}; {spec.model.document}; {spec.model.source}")
    if not found:
        typer.echo("no cell of the literature has these words; rnn-harness specs literature lists all of them")


@_registered("draft")
@exit_codes_of_text
def draft(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A document: Markdown, LaTeX or plain text.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FOLDER", help="Write one spec file for every step that is found."),
    ] = None,
) -> None:
    """Draft spec files from a document: its displayed equations, grouped into steps, with the shapes of their symbols.

    What could not be settled stands in the files as comments. `specs check` says whether a file makes a step.
    """
    draft_specs(path, output)


@_registered("check")
@exit_codes_of_text
def check(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A spec file (TOML).")],
) -> None:
    """Check that a spec file can be read, that its shapes fit, and that it makes a step.

    Errors name file and line; what an audit of the print finds is listed.
    """
    from rnn_harness.specs import audit, library, load_spec

    spec = load_spec(path, library().specs)
    refuse_taken_ids([spec])
    for equation in spec.equations:
        spec.assignment(equation.id)
    if spec.is_cell:
        program = spec.program()
        typer.echo(f"{path}: {spec.id}, {len(spec.equations)} equations, {len(program.assignments)} assignments: fine")
    else:
        typer.echo(f"{path}: {spec.id}, {len(spec.entries)} entries: fine")
    for finding in audit(spec, (*library().specs, spec)):
        typer.echo(f"{finding.entry}: {finding.category}: {finding.message}")
