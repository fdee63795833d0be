"""``rnn-harness report``: one page of all that was checked and measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._gather import ReportInputs
from rnn_harness.cli._shared import console, guarded
from rnn_harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rnn_harness.reports.page import DocumentStatements


@guarded
def report(
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="What verify or bench wrote (--records), validate (--json) or mutants (--json); may be repeated.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Decide and measure in two minutes, without kernels and mutants.")
    ] = False,
    cell: Annotated[list[str] | None, typer.Option(help="Validate somebody's cell for it, too.")] = None,
    out: Annotated[Path, typer.Option(help="The folder it is written to.", file_okay=False)] = Path("report"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what an interrupted report left in the folder.")
    ] = False,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="OLD NEW", help="Two reports (folders or report.json): print what changed."),
    ] = None,
) -> None:
    """Write report.html (one file that needs no network), report.md, .json, .xml (JUnit) and badge.svg.

    Everything on it is computed from records: those given with --from, or, without, made now in about twelve minutes:
    every equation, kernels, benchmarks, learning, mutants. With --quick in two.
    """
    if compare is not None:
        if sources or quick or cell:
            raise UsageError("--compare reads two reports that there are; give it alone")
        _compared(*compare)
        return
    if sources and (quick or cell or resume):
        raise UsageError("--from reads what there is, and --quick, --cell and --resume make more: give one of them")
    from rnn_harness.reports.page import contents, write

    gathered = ReportInputs()
    for path in sources or ():
        gathered.read(path)
    if not sources:
        try:
            gathered.make(quick, cell or [], out, resume)
        except KeyboardInterrupt:
            typer.echo(f"what was made is kept in {out}: the same command with --resume goes on", err=True)
            raise
    records = list(gathered.records.values())
    made = contents(records, said(), list(gathered.measured.values()), gathered.validations, gathered.mutant_rows)
    try:
        for path in write(made, out, records):
            typer.echo(str(path))
    except OSError as error:
        raise UsageError(f"cannot write the report to {out}: {error.strerror}") from None
    raise typer.Exit(gathered.code())


def _compared(old: Path, new: Path) -> None:
    from rnn_harness.reports.changes import changes, print_changes, read_report

    found = changes(read_report(old), read_report(new))
    print_changes(console(), found, str(old), str(new))
    if any(one.worse for one in found):
        raise typer.Exit(ExitCode.REFUTED)


def said() -> DocumentStatements:
    """What the documents say, from the specs."""
    from rnn_harness.reports.page import DocumentStatements, Printed
    from rnn_harness.specs import Program, Table, claims, contradictions, equivalences, library, misprints

    printed = {
        one.id: Printed(
            one.document or spec.model.document,
            one.line,
            one.section,
            one.printed,
            one.reading or "",
            tuple((found.id, found.text) for found in one.errata),
            isinstance(one, (Program, Table)),
        )
        for spec in library().specs
        for one in spec.entries
    }
    return DocumentStatements(printed, claims(), misprints(), contradictions(), equivalences())
