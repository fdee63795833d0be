"""``rnn-harness verify``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._shared import Interrupt, console, guarded
from rnn_harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rnn_harness.records import Record
    from rnn_harness.verify import Selection


@guarded
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID",
            help="Equations (E-348), specs (gru.keep.column), documents (003), spec files (mine.toml); all by default. "
            "With --kernels: kernels (nn.LSTM) or specs.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Where the random cases start; the same seed gives the same cases.")
    ] = 0,
    examples: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=10_000,
            help="Cases that Hypothesis draws for each cell, after nine fixed ones. [default: 20; 2 for kernels]",
        ),
    ] = None,
    kernels: Annotated[
        bool, typer.Option("--kernels", help="Judge torch kernels instead: rnn-harness kernels lists them.")
    ] = False,
    records: Annotated[
        Path | None,
        typer.Option(help="Write every record to this file as JSON Lines, as it comes.", dir_okay=False),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the file given by --records: what it holds is not decided again."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Also list every record.")] = False,
) -> None:
    """Decide equations: is the reference right, and the derivative, and the print?

    Every equation is evaluated as its document prints it (or in the reading beside it) and held against up to four
    witnesses: the hand-written NumPy reference, numerical derivatives, a SymPy proof, and torch. An error counts only
    beyond a proved rounding bound. Known errata of the prints are listed, and must be found by the audit each time.
    """
    if resume and records is None:
        raise UsageError("--resume goes on with a file of records: name it with --records FILE")
    job = _kernels(names or [], seed, examples) if kernels else _equations(names or [], seed, examples)
    found: list[Record] = []
    interrupted, trouble = False, None
    try:
        _decide(job, records, resume, found)
    except KeyboardInterrupt:
        interrupted = True
    except UsageError as error:
        if not found:
            raise
        trouble = error  # what was decided is shown first
    if as_json:
        rows = [json.loads(record.model_dump_json()) for record in found]
        typer.echo(json.dumps({"exit_code": int(_exit_code(found)), "records": rows}, indent=1))
    else:
        job.show(found, verbose)
    if trouble is not None:
        raise UsageError(f"stopped after {len(found)} records: {trouble}")
    if interrupted:
        kept = f"; {records} holds them, --resume goes on" if records else ""
        typer.echo(f"rnn-harness: interrupted after {len(found)} records{kept}", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED)
    raise typer.Exit(_exit_code(found))


@dataclass(frozen=True)
class _Job:
    """`run` makes the records, `show` prints them; `size` counts what `run` announces."""

    run: Callable[[dict[str, Record], Callable[[str], None]], Iterator[Record]]
    show: Callable[[list[Record], bool], None]
    size: int


def _equations(given: list[str], seed: int, examples: int | None) -> _Job:
    from rnn_harness.specs import library, load_spec
    from rnn_harness.verify import select
    from rnn_harness.verify import verify as decide

    files = [name for name in given if name.endswith(".toml") or "/" in name]
    extra = [load_spec(path, library().specs) for path in files]
    _refuse_shipped_ids(extra)
    selection = select([name for name in given if name not in files], extra)
    cases = 20 if examples is None else examples

    def show(found: list[Record], verbose: bool) -> None:
        from rnn_harness.reports.terminal import print_report

        print_report(console(), found, _captions(selection), verbose)

    size = len(selection.wanted) + bool(selection.pairs)
    return _Job(lambda known, start: decide(selection, seed, cases, known, start), show, size)


def _kernels(given: list[str], seed: int, examples: int | None) -> _Job:
    from rnn_harness.kernels import choose, decide

    chosen = choose(tuple(given))
    cases = 2 if examples is None else examples

    def show(found: list[Record], verbose: bool) -> None:
        from rnn_harness.reports.kernels import print_kernels

        print_kernels(console(), found, verbose)

    size = sum(len(kernel.settings) for kernel in chosen)
    return _Job(lambda known, start: decide(chosen, seed, cases, known, start), show, size)


def _decide(job: _Job, records: Path | None, resume: bool, found: list[Record]) -> None:
    """Decide, and keep a journal if one is wanted."""
    from rnn_harness.records import Journal

    if records is None:
        _run(job, {}, None, found)
        return
    with Journal(records, resume) as journal:
        for warning in journal.warnings:
            typer.echo(f"rnn-harness: {warning}", err=True)
        _run(job, journal.known, journal, found)


def _refuse_shipped_ids(extra: list) -> None:  # type: ignore[type-arg]
    from rnn_harness.specs import SpecError, library

    taken = {spec.id for spec in library().specs}
    seen: set[str] = set()
    for spec in extra:
        if spec.id in taken or spec.id in seen:
            raise SpecError(spec.path, None, f"spec id {spec.id} is taken; give yours another")
        seen.add(spec.id)
        for entry in spec.entries:
            if entry.id in library().entries:
                raise SpecError(spec.path, spec.lines.get(entry.id), f"equation id {entry.id} is taken")


def _run(job: _Job, known: dict[str, Record], journal: object, found: list[Record]) -> None:
    """Decide with a progress bar on standard error, if that is a terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from rnn_harness.records import Journal

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


def _captions(selection: Selection) -> dict:  # type: ignore[type-arg]
    from rnn_harness.reports.terminal import Caption

    pairs = {pair.id: Caption(pair.source, 0, pair.title) for pair in selection.pairs}
    return pairs | {
        entry.id: Caption(entry.document, entry.line, entry.section, tuple((e.id, e.text) for e in entry.errata))
        for spec in selection.library.specs
        for entry in spec.entries
    }


def _exit_code(found: list[Record]) -> ExitCode:
    outcomes = {str(record.outcome) for record in found}
    if "refuted" in outcomes:
        return ExitCode.REFUTED
    return ExitCode.AGREES if "agrees" in outcomes else ExitCode.UNDECIDED
