"""One id in full: an equation, a spec, a pair of specs, an erratum, a document; and lists of equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from rnn_harness.cli._shared import console
from rnn_harness.cli._show_family import show_family
from rnn_harness.cli.print_field import print_field
from rnn_harness.errors import UsageError
from rnn_harness.families import FAMILIES

if TYPE_CHECKING:
    from rnn_harness.specs import Contradiction, Entry, Equivalence, Misprint, Spec


def list_entries(entries: Sequence[tuple[Spec, Entry]]) -> None:
    """Print a table of entries: spec, equation, place, errata, title.

    Args:
        entries: The entries, each with its spec; those of one spec follow each other.
    """
    from rnn_harness.reports.text.fit_table import Column, print_table

    screen = console()
    # A title may be cut on a screen; what goes into a file or to another program is complete.
    title = Column("title", least=12, cut=screen.is_terminal)
    rows = []
    last_spec = ""
    for spec, entry in entries:
        is_first = spec.id != last_spec
        errata = ", ".join(erratum.id for erratum in entry.errata)
        text = f"{spec.title} | {entry.section}" if is_first else entry.section
        rows.append((spec.id if is_first else "", entry.id, f"{entry.document}:{entry.line}", errata, text))
        last_spec = spec.id
    columns = (Column("spec"), Column("equation"), Column("place"), Column("errata", least=0), title)
    print_table(screen, "", columns, rows)


def show_id(name: str, backward: bool) -> None:
    """Print what an id stands for.

    Args:
        name: The id of an equation, spec, pair of specs, erratum or document.
        backward: Whether the derived backward equations are printed, too.

    Raises:
        UsageError: Nothing has that id (those that look like it are listed), or it has no backward.
    """
    from rnn_harness.specs import equivalences, library, literature

    entries = {known.upper(): known for known in library().entries}
    spec = next((spec for spec in (*library().specs, *literature()) if spec.id == name), None)
    if name in FAMILIES:
        show_family(FAMILIES[name])
    elif spec is not None:
        _show_spec(spec, backward)
    elif name.upper() in entries:
        spec, entry = library().entry(entries[name.upper()])
        _show_entry(spec, entry)
        if backward:
            _show_backward(spec, entry)
    elif not _show_pair_erratum_or_document(name, backward):
        documents = {spec.model.document for spec in library().specs}
        further_names = (
            *documents,
            *(spec.id for spec in literature()),
            *(pair.id for pair in equivalences()),
            *_errata(),
            *FAMILIES,
        )
        near = library().nearest(name, further_names)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(
            f"there is no equation, spec, pair, erratum or document {name!r}{hint} (rnn-harness specs lists all)"
        )


def is_known_id(name: str) -> bool:
    """Say whether a name is that of an equation, spec, pair of specs, erratum, contradiction or document.

    Args:
        name: What was typed; the ids of equations, pairs and errata may be in small letters.
    """
    from rnn_harness.specs import equivalences, library

    specs = library().specs
    exact = {spec.id for spec in specs} | {entry.document for spec in specs for entry in spec.entries if entry.document}
    in_capitals = {entry.upper() for entry in library().entries} | {pair.id for pair in equivalences()} | _errata()
    return name in exact or name.upper() in in_capitals


def _errata() -> set[str]:
    """Return the ids of all errata and contradictions."""
    from rnn_harness.specs import contradictions, library, misprints

    of_entries = {erratum.id for _, entry in library().entries.values() for erratum in entry.errata}
    elsewhere = {misprint.id for misprint in misprints()}
    return of_entries | elsewhere | {contradiction.id for contradiction in contradictions()}


def _show_pair_erratum_or_document(name: str, backward: bool) -> bool:
    """Print a pair, an erratum or the list of a document; False if the id is of none of these."""
    from rnn_harness.specs import equivalences, library

    pair = next((pair for pair in equivalences() if pair.id == name.upper()), None)
    entries = [(spec, entry) for spec in library().specs for entry in spec.entries if entry.document == name]
    if backward and (pair is not None or entries or name.upper() in _errata()):
        raise UsageError(f"{name} is no equation and no spec: it has no backward")
    if pair is not None:
        _show_pair(pair)
    elif entries:
        list_entries(entries)
    else:
        return _show_erratum(name.upper())
    return True


def _show_pair(pair: Equivalence) -> None:
    """Print a pair of specs, and how to prove it."""
    print_field(pair.id, f"{pair.source}  {pair.title}")
    print_field("left", pair.left)
    print_field("right", pair.right)
    print_field("expected", pair.expected)
    print_field("parameters", "\n".join(f"{name} = {text}" for name, text in pair.parameters.items()))
    if pair.note:
        print_field("note", pair.note)
    typer.echo(f"next: rnn-harness verify {pair.id}  (proves it)")


def _show_erratum(name: str) -> bool:
    """Print an erratum of an equation, one outside of equations, or a contradiction; False if none has that id."""
    from rnn_harness.specs import contradictions, library, misprints

    for _, entry in library().entries.values():
        for erratum in entry.errata:
            if erratum.id == name:
                print_field(erratum.id, f"{entry.document}:{entry.line}  {entry.id}: {erratum.text}")
                print_field("printed", entry.printed)
                if entry.reading is not None:
                    print_field("reading", entry.reading)
    for misprint in misprints():
        if misprint.id == name:
            _show_misprint(misprint)
    for contradiction in contradictions():
        if contradiction.id == name:
            _show_contradiction(contradiction)
    return name in _errata()


def _show_misprint(misprint: Misprint) -> None:
    """Print an erratum outside of equations."""
    for place, words in misprint.prints.items():
        print_field(misprint.id, f"{place}  {words}")
    print_field("says", misprint.says)
    print_field("right", misprint.right)
    print_field("by", " ".join((misprint.by, *misprint.evidence)))


def _show_contradiction(contradiction: Contradiction) -> None:
    """Print a contradiction with its positions and what resolves it."""
    print_field(contradiction.id, contradiction.topic)
    for position in contradiction.positions:
        print_field("says", f"{position.says} ({', '.join(position.at) or 'elsewhere'})")
    print_field("resolved", contradiction.resolved)
    print_field("evidence", ", ".join(contradiction.evidence))


def _show_entry(spec: Spec, entry: Entry) -> None:
    """Print an entry: its place, print, reading, audit, errata and shapes."""
    from rnn_harness.specs import Equation, audit_entry, library
    from rnn_harness.specs.dimensions import show_shape
    from rnn_harness.specs.expression import Role, variables
    from rnn_harness.specs.plain_text import assignment_text

    also = "".join(f", {line}" for line in entry.also)
    print_field(entry.id, f"{entry.document}:{entry.line}{also}  {entry.section}")
    print_field("spec", f"{spec.id}: {spec.title}")
    print_field("printed", entry.printed)
    if entry.reading is not None:
        print_field("reading", entry.reading)
    for finding in audit_entry(spec, entry, library().specs):
        print_field("audit", f"{finding.category}: {finding.message}")
    for erratum in entry.errata:
        print_field("erratum", f"{erratum.id}: {erratum.text}")
    if entry.note:
        print_field("note", entry.note)
    if isinstance(entry, Equation):
        for assignment in spec.assignment(entry.id):
            print_field("computes", assignment_text(assignment))
            print_field("target", f"{assignment.target.name} : {show_shape(assignment.target.shape)}")
            for variable in dict.fromkeys(variables(assignment.expression)):
                role = "parameter" if variable.role is Role.PARAMETER else variable.role.value
                print_field("", f"{variable} : {show_shape(variable.shape)}  ({role})")


def _show_backward(spec: Spec, entry: Entry) -> None:
    """Print the derived backward of one equation. Raises UsageError."""
    from rnn_harness.derivatives import derive
    from rnn_harness.derivatives.single_equation import local_program
    from rnn_harness.specs import Equation

    if not isinstance(entry, Equation):
        raise UsageError(f"{entry.id} is no equation of a step: it has no backward")
    for assignment in spec.assignment(entry.id):
        for line in derive(local_program(assignment)).latex():
            print_field("backward", line)


def _file_and_source(spec: Spec) -> str:
    """Return the name of a spec's file and, of a cell of the literature, its paper and with what it was compared."""
    is_of_paper = bool(spec.model.source)
    return f"{spec.path.name} ({spec.model.document}; {spec.model.source})" if is_of_paper else spec.path.name


def _show_symbols(spec: Spec) -> None:
    """Print what a spec declares, with its shapes."""
    from rnn_harness.specs.dimensions import parse_shape, show_shape

    for label, table in (
        ("input", spec.model.inputs),
        ("state", spec.model.states),
        ("parameter", spec.model.parameters),
    ):
        for name, text in table.items():
            print_field(label, f"{name} : {show_shape(parse_shape(text))}")
    for name, length in spec.model.sizes.items():
        print_field("size", f"{name} = {length} where a cell has no other")


def _show_spec(spec: Spec, backward: bool) -> None:
    """Print a spec: its symbols, equations and reference. Raises UsageError."""
    from rnn_harness.derivatives import derive
    from rnn_harness.specs.plain_text import assignment_text

    print_field(spec.id, spec.title)
    print_field("file", _file_and_source(spec))
    _show_symbols(spec)
    for equation in spec.equations:
        print_field(equation.id, "\n".join(assignment_text(part) for part in spec.assignment(equation.id)))
    for entry in spec.entries:
        if entry not in spec.equations:
            print_field(entry.id, entry.text)
    link = spec.reference
    if link is not None:
        options = "".join(f", {key}={value!r}" for key, value in link.options.items())
        print_field("reference", f"get_reference({link.name!r}{options})")
        same_names = [name for name, text in link.parameters.items() if name == text]
        if same_names:
            print_field("", f"its parameters {', '.join(same_names)} are those of the spec")
        for name, text in link.parameters.items():
            if name != text:
                print_field("", f"its parameter {name} is {text} of the spec")
    if backward and spec.is_cell:
        for line in derive(spec.program()).latex():
            print_field("backward", line)
    elif backward:
        raise UsageError(f"{spec.id} holds a document's other entries: it has no backward")
