"""``rnn-harness mutants``: which check refutes which wrong reference."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._conclusion import Conclusion, print_conclusion
from rnn_harness.cli._json_output import JsonName, JsonOutput
from rnn_harness.cli._mutants_of_spec import judge_rewrites
from rnn_harness.cli._mutants_run import judge_with_progress, recorded_results, write_results
from rnn_harness.cli._pool_options import Backend, Scheduler, Workers, worker_pool
from rnn_harness.cli._shared import console, exit_codes
from rnn_harness.cli.arguments import ensure_resumable, refuse_empty_names
from rnn_harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rnn_harness.mutants import Mutant
    from rnn_harness.records.kill_matrix import MutantResult
    from rnn_harness.runtime.worker_pool import WorkerPool


@exit_codes
def mutants(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Parts of names (gru, peephole, batch).", show_default="all"),
    ] = None,
    json_name: JsonName = None,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Also show each edit and what its first killer said.")
    ] = False,
    listing: Annotated[
        bool, typer.Option("--list", help="Only list the mutants and their edits; judge nothing.")
    ] = False,
    spec: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Rewrite this spec instead: an id (mgu), or a spec file (.toml)."),
    ] = None,
    records: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the document of --json to this file after every mutant.", dir_okay=False
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the file of --records: what is unchanged is not judged again.")
    ] = False,
    workers: Workers = 1,
    backend: Backend = "loky",
    scheduler: Scheduler = None,
) -> None:
    """Judge references that are wrong on purpose, and print which check refutes which, how soon.

    Each mutant is one edit of a right reference; with --spec, one rewrite of a spec's equations. All must be killed,
    none by a case that could not have failed.
    """
    if spec is not None:
        options = {"NAME": names, "--json": json_name, "--list": listing, "--records": records, "--resume": resume}
        judge_rewrites(spec, verbose, tuple(name for name, value in options.items() if value))
        return
    refuse_empty_names("part of a mutant's name", names or [])
    ensure_resumable(resume, records)
    document = JsonOutput.of(json_name)
    pool = worker_pool(workers, backend, scheduler)
    from rnn_harness.mutants import MUTANTS

    chosen = tuple(
        mutant for mutant in MUTANTS if not names or any(name.lower() in mutant.name.lower() for name in names)
    )
    if not chosen:
        families = ", ".join(sorted({mutant.name.split(".")[0] for mutant in MUTANTS}))
        raise UsageError(
            f"no mutant's name contains {' or '.join(map(repr, names or []))}; there are families {families}"
        )
    from rnn_harness.records.kill_matrix import dump_kill_matrix

    if listing:
        document.write(dump_kill_matrix(mutant.describe() for mutant in chosen))
        if not document.is_printed:
            _list_mutants(chosen)
        return
    results = _judge(chosen, records, resume, pool)
    survivors = [result.mutant for result in results if not result.killed]
    code = ExitCode.REFUTED if survivors else ExitCode.AGREES
    document.write(dump_kill_matrix(results))
    if not document.is_printed:
        from rnn_harness.reports.text.kill_matrix import print_kill_matrix

        print_kill_matrix(console(), results, verbose)
        killed = f"{len(results) - len(survivors)} of {len(results)} mutants killed"
        survive = f"; the checks do not see {', '.join(survivors)}" if survivors else ""
        print_conclusion(
            Conclusion(killed + survive, f"rnn-harness explain '{(survivors or [chosen[0].name])[0]}'"), code
        )
    if code is not ExitCode.AGREES:
        raise typer.Exit(code)


def _judge(mutants: Sequence[Mutant], path: Path | None, resume: bool, pool: WorkerPool) -> list[MutantResult]:
    """Judge mutants; a file takes the results after each.

    Raises:
        UsageError: The file holds results and is not continued, or cannot be written.
    """
    from rnn_harness.runtime.file_lock import FileLock

    if path is None:
        return judge_with_progress(mutants, (), pool, lambda _: None)
    lock = FileLock(path)
    try:
        known = recorded_results(path, resume)
        write_results(path, known)  # a file that cannot be written is reported before the work
        return judge_with_progress(mutants, known, pool, functools.partial(write_results, path))
    finally:
        lock.release()


def _list_mutants(mutants: Sequence[Mutant]) -> None:
    """Print every mutant with its spec, the published bug it is modelled on, and its edit."""
    for mutant in mutants:
        bug = f"  [{mutant.published_bug}]" if mutant.published_bug else ""
        typer.echo(f"{mutant.name} ({mutant.part}, {mutant.spec}){bug}")
        for line in mutant.edit_lines:
            typer.echo(f"    {line}")
