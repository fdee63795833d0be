"""``rnn-harness report``: one page of all that was checked and measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnn_harness.cli._gather import ReportInputs
from rnn_harness.cli._shared import console, guarded
from rnn_harness.errors import ExitCode, UsageError


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
        _compare(*compare)
        return
    if sources and (quick or cell or resume):
        raise UsageError("--from reads what there is, and --quick, --cell and --resume make more: give one of them")
    from rnn_harness.reports.page import build_contents, document_statements, write_report

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
    contents = build_contents(
        records,
        document_statements(),
        list(gathered.measured.values()),
        gathered.validations,
        gathered.mutants,
    )
    try:
        for path in write_report(contents, out, records):
            typer.echo(str(path))
    except OSError as error:
        raise UsageError(f"cannot write the report to {out}: {error.strerror}") from None
    raise typer.Exit(gathered.code())


def _compare(old: Path, new: Path) -> None:
    """Print what differs between two reports; exit code 1 where something is worse."""
    from rnn_harness.reports.changes import compare_reports, print_report_changes, read_report

    changes = compare_reports(read_report(old), read_report(new))
    print_report_changes(console(), changes, str(old), str(new))
    if any(change.is_worse for change in changes):
        raise typer.Exit(ExitCode.REFUTED)
