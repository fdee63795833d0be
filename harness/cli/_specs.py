"""``rnn-harness specs``: what there is, and one equation in full."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._shared import console, guarded
from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from rnn_harness.specs import Entry, Spec

app = typer.Typer(help="List the equations, show one, or check a spec file of your own.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
@guarded
def _list(context: typer.Context) -> None:
    if context.invoked_subcommand is not None:
        return
    from rnn_harness.reports._fit import Column, print_table
    from rnn_harness.specs import library

    screen = console()
    # A title may be cut on a screen; what goes into a file or to another program is whole.
    title = Column("title", least=12, cut=screen.is_terminal)
    rows = []
    for spec in library().specs:
        for number, entry in enumerate(spec.entries):
            errata = ", ".join(erratum.id for erratum in entry.errata)
            place = f"{entry.document}:{entry.line}"
            told = entry.section if number else f"{spec.title} | {entry.section}"
            rows.append((spec.id if number == 0 else "", entry.id, place, errata, told))
    print_table(
        screen, "", (Column("spec"), Column("equation"), Column("place"), Column("errata", least=0), title), rows
    )
    typer.echo("One in full: rnn-harness specs show E-348 (add --backward for its derivative).")


@app.command("show")
@guarded
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="An equation (E-348) or a spec (gru.keep.column).")],
    backward: Annotated[
        bool, typer.Option("--backward", help="Also print the derived backward equations, as LaTeX.")
    ] = False,
) -> None:
    """Print an equation: as its document prints it, the reading taken, shapes, parameters, errata."""
    from rnn_harness.specs import library

    specs = {spec.id: spec for spec in library().specs}
    if name in specs:
        _show_spec(specs[name], backward)
        return
    entries = {known.upper(): known for known in library().entries}
    if name.upper() not in entries:
        near = library().nearest(name)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(f"there is no equation or spec {name!r}{hint} (rnn-harness specs lists all)")
    spec, entry = library().entry(entries[name.upper()])
    _show_entry(spec, entry)
    if backward:
        _show_backward(spec, entry)


def _say(label: str, text: str) -> None:
    lines = text.strip("\n").splitlines() or [""]
    typer.echo(f"{label:<10} {lines[0]}")
    for line in lines[1:]:
        typer.echo(f"{'':<10} {line}")


def _show_entry(spec: Spec, entry: Entry) -> None:
    from rnn_harness.specs import Equation, audit_entry, library
    from rnn_harness.specs.dimensions import show_shape
    from rnn_harness.specs.expression import Role, variables

    also = "".join(f", {line}" for line in entry.also)
    _say(entry.id, f"{entry.document}:{entry.line}{also}  {entry.section}")
    _say("spec", f"{spec.id}: {spec.title}")
    _say("printed", entry.printed)
    if entry.reading is not None:
        _say("reading", entry.reading)
    for finding in audit_entry(spec, entry, library().specs):
        _say("audit", f"{finding.kind}: {finding.message}")
    for erratum in entry.errata:
        _say("erratum", f"{erratum.id}: {erratum.text}")
    if entry.note:
        _say("note", entry.note)
    if isinstance(entry, Equation):
        for assignment in spec.assignment(entry.id):
            _say("target", f"{assignment.target.name} : {show_shape(assignment.target.shape)}")
            for variable in dict.fromkeys(variables(assignment.expression)):
                role = "parameter" if variable.role is Role.PARAMETER else variable.role.value
                _say("", f"{variable} : {show_shape(variable.shape)}  ({role})")


def _show_backward(spec: Spec, entry: Entry) -> None:
    from rnn_harness.derive import derive
    from rnn_harness.derive._local import local_program
    from rnn_harness.specs import Equation

    if not isinstance(entry, Equation):
        raise UsageError(f"{entry.id} is no equation of a step: it has no backward")
    for assignment in spec.assignment(entry.id):
        for line in derive(local_program(assignment)).latex():
            _say("backward", line)


def _show_spec(spec: Spec, backward: bool) -> None:
    from rnn_harness.derive import derive
    from rnn_harness.specs.dimensions import parse_shape, show_shape

    _say(spec.id, spec.title)
    _say("file", spec.path.name)
    for kind, table in (
        ("input", spec.model.inputs),
        ("state", spec.model.states),
        ("parameter", spec.model.parameters),
    ):
        for name, text in table.items():
            _say(kind, f"{name} : {show_shape(parse_shape(text))}")
    for equation in spec.equations:
        _say(equation.id, equation.text)
    for entry in spec.entries:
        if entry not in spec.equations:
            _say(entry.id, entry.text)
    link = spec.reference
    if link is not None:
        options = "".join(f", {key}={value!r}" for key, value in link.options.items())
        _say("reference", f"get({link.name!r}{options})")
        for name, text in link.parameters.items():
            _say("", f"{name} = {text}")
    if backward and spec.is_cell:
        for line in derive(spec.program()).latex():
            _say("backward", line)
    elif backward:
        raise UsageError(f"{spec.id} holds a document's other entries: it has no backward")


@app.command("check")
@guarded
def check(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A spec file (TOML).")],
) -> None:
    """Check a spec file: can it be read, do its shapes fit, does it make a step? Errors say file and line."""
    from rnn_harness.specs import audit, library, load_spec

    spec = load_spec(path, library().specs)
    for equation in spec.equations:
        spec.assignment(equation.id)
    if spec.is_cell:
        program = spec.program()
        typer.echo(f"{path}: {spec.id}, {len(spec.equations)} equations, {len(program.assignments)} assignments: fine")
    else:
        typer.echo(f"{path}: {spec.id}, {len(spec.entries)} entries: fine")
    for finding in audit(spec, (*library().specs, spec)):
        typer.echo(f"{finding.entry}: {finding.kind}: {finding.message}")
