"""Long work of the command: progress, a journal, Ctrl-C, what is shown in the end, and the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rnn_harness.cli._shared import Interrupt, console
from rnn_harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rnn_harness.records.record import Record


@dataclass(frozen=True)
class Job:
    """`run` makes the records; `size` counts what it announces; `code`: their exit code; `cases`: drawn for each cell.

    `show` prints them, given whether every one is wanted, and whether the job came to its end.
    """

    run: Callable[[dict[str, Record], Callable[[str], None]], Iterator[Record]]
    show: Callable[[list[Record], bool, bool], None]
    size: int
    code: Callable[[list[Record]], ExitCode] = lambda found: exit_code(found)
    cases: int | None = None


def finish(job: Job, records: Path | None, resume: bool, as_json: bool, verbose: bool) -> None:
    """Do the job, show what came of it, and leave with its exit code. What is known is shown first in any case."""
    found: list[Record] = []
    interrupted, trouble = False, None
    try:
        decide(job, records, resume, found)
    except KeyboardInterrupt:
        interrupted = True
    except UsageError as error:
        if not found:
            raise
        trouble = error  # what was decided is shown first
    code = ExitCode.INTERRUPTED if interrupted else ExitCode.WRONG_USE if trouble is not None else job.code(found)
    if as_json:
        rows = [json.loads(record.model_dump_json()) for record in found]
        typer.echo(json.dumps({"exit_code": int(code), "records": rows}, indent=1))
    else:
        job.show(found, verbose, trouble is None and not interrupted)
    if trouble is not None:
        raise UsageError(f"stopped after {len(found)} records: {trouble}")
    if interrupted:
        kept = f"; {records} holds them, --resume goes on" if records else ""
        typer.echo(f"rnn-harness: interrupted after {len(found)} records{kept}", err=True)
    raise typer.Exit(code)


def decide(job: Job, records: Path | None, resume: bool, found: list[Record]) -> None:
    """Decide, and keep a journal if one is wanted."""
    from rnn_harness.records.journal import Journal

    if records is None:
        _run(job, {}, None, found)
        return
    with Journal(records, resume) as journal:
        for warning in journal.warnings:
            typer.echo(f"rnn-harness: {warning}", err=True)
        _tell_of_others(job.cases, journal.known.values(), records)
        _run(job, journal.known, journal, found)


def _tell_of_others(cases: int | None, known: Iterable[Record], records: Path) -> None:
    """Say so where a file that is gone on with holds records of another number of cases than is asked for."""
    requested = {record.requested_examples for record in known} - {None, cases}
    if cases is not None and requested:
        numbers = ", ".join(map(str, sorted(requested, key=str)))
        typer.echo(
            f"rnn-harness: what {records} holds was decided with --examples {numbers}, and is kept; "
            f"--examples {cases} is for what is left (another file decides all of it anew)",
            err=True,
        )


def _run(job: Job, known: dict[str, Record], journal: object, found: list[Record]) -> None:
    """Decide with a progress bar on standard error, if that is a terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from rnn_harness.records.journal import Journal

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar, Interrupt() as interrupt:
        task = bar.add_task("", total=job.size)
        started = False

        def on_start(title: str) -> None:
            nonlocal started
            bar.update(task, description=title[:48], advance=1 if started else 0)
            started = True

        for record in job.run(known, on_start):
            found.append(record)
            if isinstance(journal, Journal) and record.key not in known:
                journal.write(record)
            interrupt.check()


def exit_code(found: list[Record]) -> ExitCode:
    outcomes = {str(record.outcome) for record in found}
    if "refuted" in outcomes:
        return ExitCode.REFUTED
    return ExitCode.AGREES if "agrees" in outcomes else ExitCode.UNDECIDED
