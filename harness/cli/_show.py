"""One id in full: an equation, a spec, a pair of specs, an erratum, a document; and lists of equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from rnn_harness.cli._shared import console
from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from rnn_harness.specs import Entry, Equivalence, Spec


def list_entries(found: Sequence[tuple[Spec, Entry]]) -> None:
    """A table: spec, equation, place, errata, title."""
    from rnn_harness.reports.text.fit_table import Column, print_table

    screen = console()
    # A title may be cut on a screen; what goes into a file or to another program is whole.
    title = Column("title", least=12, cut=screen.is_terminal)
    rows = []
    last = ""
    for spec, entry in found:
        errata = ", ".join(erratum.id for erratum in entry.errata)
        told = entry.section if spec.id == last else f"{spec.title} | {entry.section}"
        rows.append(("" if spec.id == last else spec.id, entry.id, f"{entry.document}:{entry.line}", errata, told))
        last = spec.id
    columns = (Column("spec"), Column("equation"), Column("place"), Column("errata", least=0), title)
    print_table(screen, "", columns, rows)


def show_id(name: str, backward: bool) -> None:
    """Print what an id stands for. Raises UsageError that lists those that look like it."""
    from rnn_harness.specs import equivalences, library

    entries = {known.upper(): known for known in library().entries}
    if any(name == spec.id for spec in library().specs):
        _show_spec(library().spec(name), backward)
    elif name.upper() in entries:
        spec, entry = library().entry(entries[name.upper()])
        _show_entry(spec, entry)
        if backward:
            _show_backward(spec, entry)
    elif not _shown_otherwise(name, backward):
        documents = {spec.model.document for spec in library().specs}
        near = library().nearest(name, (*documents, *(pair.id for pair in equivalences()), *_errata()))
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(
            f"there is no equation, spec, pair, erratum or document {name!r}{hint} (rnn-harness specs lists all)"
        )


def _errata() -> set[str]:
    from rnn_harness.specs import contradictions, library, misprints

    own = {one.id for _, entry in library().entries.values() for one in entry.errata}
    return own | {one.id for one in misprints()} | {one.id for one in contradictions()}


def _shown_otherwise(name: str, backward: bool) -> bool:
    """Print a pair, an erratum or the list of a document; False if the id is of none of these."""
    from rnn_harness.specs import equivalences, library

    pair = next((one for one in equivalences() if one.id == name.upper()), None)
    own = [(spec, entry) for spec in library().specs for entry in spec.entries if entry.document == name]
    if backward and (pair is not None or own or name.upper() in _errata()):
        raise UsageError(f"{name} is no equation and no spec: it has no backward")
    if pair is not None:
        _show_pair(pair)
    elif own:
        list_entries(own)
    else:
        return _show_erratum(name.upper())
    return True


def _say(label: str, text: str) -> None:
    lines = text.strip("\n").splitlines() or [""]
    typer.echo(f"{label:<10} {lines[0]}")
    for line in lines[1:]:
        typer.echo(f"{'':<10} {line}")


def _show_pair(pair: Equivalence) -> None:
    _say(pair.id, f"{pair.source}  {pair.title}")
    _say("left", pair.left)
    _say("right", pair.right)
    _say("expected", pair.expected)
    _say("parameters", "\n".join(f"{name} = {text}" for name, text in pair.parameters.items()))
    if pair.note:
        _say("note", pair.note)
    typer.echo(f"Prove it: rnn-harness verify {pair.id}")


def _show_erratum(name: str) -> bool:
    """Of an equation, outside of equations, or a contradiction; False if there is none of that id."""
    from rnn_harness.specs import contradictions, library, misprints

    own = [(entry, one) for _, entry in library().entries.values() for one in entry.errata if one.id == name]
    for entry, one in own:
        _say(one.id, f"{entry.document}:{entry.line}  {entry.id}: {one.text}")
        _say("printed", entry.printed)
        if entry.reading is not None:
            _say("reading", entry.reading)
    for misprint in (one for one in misprints() if one.id == name):
        for place, words in misprint.prints.items():
            _say(name, f"{place}  {words}")
        _say("says", misprint.says)
        _say("right", misprint.right)
        _say("by", " ".join((misprint.by, *misprint.evidence)))
    for found in (one for one in contradictions() if one.id == name):
        _say(name, found.topic)
        for position in found.positions:
            _say("says", f"{position.says} ({', '.join(position.at) or 'elsewhere'})")
        _say("resolved", found.resolved)
        _say("evidence", ", ".join(found.evidence))
    return name in _errata()


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
        _say("audit", f"{finding.category}: {finding.message}")
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
    from rnn_harness.derivatives import derive
    from rnn_harness.derivatives.single_equation import local_program
    from rnn_harness.specs import Equation

    if not isinstance(entry, Equation):
        raise UsageError(f"{entry.id} is no equation of a step: it has no backward")
    for assignment in spec.assignment(entry.id):
        for line in derive(local_program(assignment)).latex():
            _say("backward", line)


def _show_spec(spec: Spec, backward: bool) -> None:
    from rnn_harness.derivatives import derive
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
        _say("reference", f"get_reference({link.name!r}{options})")
        for name, text in link.parameters.items():
            _say("", f"{name} = {text}")
    if backward and spec.is_cell:
        for line in derive(spec.program()).latex():
            _say("backward", line)
    elif backward:
        raise UsageError(f"{spec.id} holds a document's other entries: it has no backward")
