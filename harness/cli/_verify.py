"""``rnn-harness verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._job import Job, finish
from rnn_harness.cli._shared import console, guarded, named, refuse_taken
from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from rnn_harness.engine.select import Selection
    from rnn_harness.records.record import Record
    from rnn_harness.reports.entry_caption import EntryCaption


@guarded
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID",
            help="Equations (E-348), specs (gru.keep.column), documents (003), pairs of specs (Q-18, or equivalences), "
            "spec files (mine.toml); all by default. With --kernels: kernels (nn.LSTM) or specs.",
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
    finish(job, records, resume, as_json, verbose)


def _equations(given: list[str], seed: int, examples: int | None) -> Job:
    from rnn_harness.engine.select import select
    from rnn_harness.engine.verify import verify as decide
    from rnn_harness.specs import library, load_spec

    files = [name for name in given if _is_file(name)]
    extra = [load_spec(path, library().specs) for path in files]
    refuse_taken(extra)
    selection = select([name for name in given if name not in files], extra)
    cases = 20 if examples is None else examples

    def show(found: list[Record], verbose: bool, _: bool) -> None:
        from rnn_harness.reports.text.verify import print_equations

        print_equations(console(), found, _captions(selection), verbose)

    size = len(selection.specs) + bool(selection.pairs)
    return Job(lambda known, start: decide(selection, seed, cases, known, start), show, size, cases=cases)


def _kernels(given: list[str], seed: int, examples: int | None) -> Job:
    named("kernel", given)
    files = [name for name in given if _is_file(name)]
    if files:
        raise UsageError(
            f"{', '.join(files)}: a spec file, and --kernels takes kernels (nn.LSTM) or shipped specs (lstm.column); "
            "without --kernels the file is decided"
        )
    from rnn_harness.kernels import choose_kernels, judge_isolated

    chosen = choose_kernels(tuple(given))
    cases = 2 if examples is None else examples

    def show(found: list[Record], verbose: bool, _: bool) -> None:
        from rnn_harness.reports.text.kernels import print_kernels

        print_kernels(console(), found, verbose)

    size = sum(len(kernel.settings) for kernel in chosen)
    return Job(lambda known, start: judge_isolated(chosen, seed, cases, known, start), show, size, cases=cases)


def _is_file(name: str) -> bool:
    """Names of kernels may have a slash in them, as nn.LSTM/native."""
    return name.endswith(".toml") or name.startswith((".", "/")) or Path(name).is_file()


def _captions(selection: Selection) -> dict[str, EntryCaption]:
    """Return how every entry and every pair of specs is named, by its id."""
    from rnn_harness.reports.entry_caption import EntryCaption, PrintErratum

    captions = {pair.id: EntryCaption(pair.source, 0, pair.title) for pair in selection.pairs}
    for spec in selection.library.specs:
        for entry in spec.entries:
            captions[entry.id] = EntryCaption(
                entry.document or spec.path.name,
                entry.line,
                entry.section or spec.title,
                tuple(PrintErratum(erratum.id, erratum.text) for erratum in entry.errata),
            )
    return captions
