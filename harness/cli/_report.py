"""``rnn-harness report``: one page of all that was checked and measured."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from rnn_harness.cli._conclusion import Conclusion, print_conclusion
from rnn_harness.cli._shared import console, exit_codes
from rnn_harness.cli._verbosity import is_quiet
from rnn_harness.cli.report_inputs import ReportInputs
from rnn_harness.cli.report_run import ReportRun
from rnn_harness.errors import ExitCode, UsageError


@exit_codes
def report(
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="What verify or bench wrote (--records), validate or mutants (--json), matrix (matrix.json), or gpu "
            "(its folder); may be repeated.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Check and measure for two minutes, without kernels and mutants.")
    ] = False,
    cell: Annotated[
        list[str] | None, typer.Option(metavar="TARGET", help="Validate this cell, too; may be repeated.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder it is written to.", file_okay=False)] = Path(
        "report"
    ),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what an interrupted report left in the folder.")
    ] = False,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="OLD NEW", help="Two reports (folders or report.json): print what changed."),
    ] = None,
) -> None:
    """Write report.html (one file that needs no network), report.md, .json, .xml (JUnit) and badge.svg.

    Everything on it is computed from records: those given with --from, or, without, made now in about half an hour:
    every equation, kernels, benchmarks, learning, mutants. With --quick in two.
    """
    if compare is not None:
        if sources or quick or cell:
            raise UsageError("--compare reads two reports that there are; give it alone")
        _compare(*compare)
        return
    if sources and (quick or cell or resume):
        raise UsageError("--from reads what there is, and --quick, --cell and --resume make more: give one of them")
    inputs = ReportInputs()
    for path in sources or ():
        inputs.read(path)
    if not sources:
        try:
            ReportRun(inputs, out, quick, resume).run(cell or [])
        except KeyboardInterrupt:
            typer.echo(f"what was made is kept in {out}: the same command with --resume goes on", err=True)
            raise
    _write(inputs, out)
    code = inputs.exit_code()
    refuted = sum(record.outcome == "refuted" and not record.expected for record in inputs.records.values())
    survivors = sum(not result.killed for result in inputs.mutants)
    mutants = f", {len(inputs.mutants) - survivors} of {len(inputs.mutants)} mutants killed" if inputs.mutants else ""
    wrong_cells = [validation.target for validation in inputs.validations if validation.outcome == "refuted"]
    cells = f"; refuted: {', '.join(wrong_cells)}" if wrong_cells else ""
    verdict = f"{refuted} of {len(inputs.records)} checks refuted{mutants}{cells}"
    if code is ExitCode.UNDECIDED:
        verdict = "nothing is decided: there is no record that agrees, and no measurement"
    print_conclusion(Conclusion(verdict, f"open {out / 'report.html'} in a browser"), code)
    raise typer.Exit(code)


def _write(inputs: ReportInputs, folder: Path) -> None:
    """Write the report and print its files. Raises UsageError."""
    from rnn_harness.reports.page import PageOrigin, build_contents, document_statements, write_report
    from rnn_harness.runtime.working_tree import commit_here

    records, measurements = list(inputs.records.values()), list(inputs.measurements.values())
    origin = PageOrigin(datetime.date.today().isoformat(), commit_here())
    contents = build_contents(
        records, document_statements(), measurements, inputs.validations, inputs.mutants, inputs.matrix, origin
    )
    try:
        for path in write_report(contents, folder, records):
            if not is_quiet():
                typer.echo(str(path))
    except OSError as error:
        raise UsageError(f"cannot write the report to {folder}: {error.strerror}") from None


def _compare(old: Path, new: Path) -> None:
    """Print what differs between two reports; exit code 1 where something is worse."""
    from rnn_harness.reports.changes import compare_reports, print_report_changes, read_report

    changes = compare_reports(read_report(old), read_report(new))
    print_report_changes(console(), changes, str(old), str(new))
    worse = sum(change.is_worse for change in changes)
    verdict = f"{len(changes)} changes from {old} to {new}, {worse} for the worse"
    if not changes:
        verdict = f"no differences between {old} and {new}: no time, rate or loss changed beyond noise"
    code = ExitCode.REFUTED if worse else ExitCode.AGREES
    print_conclusion(Conclusion(verdict), code)
    if worse:
        raise typer.Exit(code)
