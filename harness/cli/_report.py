"""``rnn-harness report``: one page of all that was checked and measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnn_harness.cli._shared import console, guarded
from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from rnn_harness.reports.page import Printed


@guarded
def report(
    sources: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Records of verify or bench (.jsonl), or validate's --json; may be repeated."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Without --from: decide and measure in about two minutes.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The folder it is written to.", file_okay=False)] = Path("report"),
) -> None:
    """Write report.html (one file that needs no network), report.md, .json, .xml (JUnit) and badge.svg.

    Everything on it is computed from records: those given with --from, or made now with --quick.
    """
    from rnn_harness.reports.page import contents, write
    from rnn_harness.specs import claims

    if not sources and not quick:
        raise UsageError("a report needs records: give them with --from FILE, or --quick to make some now")
    records: dict[str, Any] = {}
    measured: dict[str, Any] = {}
    validations: list[Any] = []
    for path in sources or ():
        _read(path, records, measured, validations)
    if quick:
        _make(records, measured)
    made = contents(list(records.values()), _printed(), list(measured.values()), validations, claims())
    try:
        for path in write(made, out, list(records.values())):
            typer.echo(str(path))
    except OSError as error:
        raise UsageError(f"cannot write the report to {out}: {error.strerror}") from None


def _read(path: Path, records: dict[str, Any], measured: dict[str, Any], validations: list[Any]) -> None:
    """Sort what a file holds by what it is. Raises UsageError: unreadable, or the same question answered twice."""
    from rnn_harness.candidates import Validation
    from rnn_harness.measures import read_measurements
    from rnn_harness.records import read_records

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    first = text.lstrip()[:1] and _first(text)
    if isinstance(first, dict) and "identification" in first:
        validations.append(Validation.model_validate(first))
        return
    warnings: list[str] = []
    rows: Any = read_measurements(path) if isinstance(first, dict) and "kind" in first else read_records(path, warnings)
    into = measured if isinstance(first, dict) and "kind" in first else records
    for one in rows:
        if one.key in into:
            raise UsageError(f"{path}: {one.key} is answered twice")
        into[one.key] = one
    for warning in warnings:
        typer.echo(f"rnn-harness: {warning}", err=True)


def _first(text: str) -> Any:
    """The document, or that of the first line."""
    for part in (text, text.lstrip().splitlines()[0]):
        try:
            return json.loads(part)
        except json.JSONDecodeError:
            continue
    return None


def _make(records: dict[str, Any], measured: dict[str, Any]) -> None:
    """Decide every equation on the fixed cases, and measure quickly, with progress."""
    from rich.progress import Progress

    from rnn_harness.measures import QUICK, plan
    from rnn_harness.verify import select, verify

    jobs = plan(QUICK, ("parameters", "decay", "learning", "speed"), ("rnn", "gru", "lstm"), "float32")
    selection = select(())
    with Progress(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("equations", total=None)
        for record in verify(selection, 0, 0, {}, lambda title: bar.update(task, description=title[:48])):
            records[record.key] = record
        bar.update(task, description="measurements", total=sum(job.cost for job in jobs), completed=0)
        for job in jobs:
            bar.update(task, description=job.title[:48])
            for one in job.run(lambda: None):
                measured[one.key] = one
            bar.advance(task, job.cost)


def _printed() -> dict[str, Printed]:
    """Every equation as its document prints it."""
    from rnn_harness.reports.page import Printed
    from rnn_harness.specs import library

    return {
        one.id: Printed(
            one.document or spec.model.document,
            one.line,
            one.section,
            one.printed,
            one.reading or "",
            tuple((found.id, found.text) for found in one.errata),
        )
        for spec in library().specs
        for one in spec.model.equations
    }
