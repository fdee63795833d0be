"""``rnn-harness matrix``: many implementations, each in the environment of its package, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._conclusion import Conclusion, print_conclusion
from rnn_harness.cli._pool_options import Backend, Scheduler, worker_pool
from rnn_harness.cli._progress import progress_bar
from rnn_harness.cli._shared import Interrupt, exit_codes
from rnn_harness.cli._verbosity import is_quiet
from rnn_harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rnn_harness.matrix.run import SuiteRun
    from rnn_harness.records.judged_target import JudgedTarget
    from rnn_harness.runtime.worker_pool import WorkerPool


@exit_codes
def matrix(
    suite: Annotated[
        str,
        typer.Argument(metavar="SUITE", help="A suite of your own (mine.toml), or `published`: the shipped suite."),
    ],
    output: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="The folder of the table, the records and the history.", file_okay=False),
    ] = Path("matrix"),
    only: Annotated[
        str,
        typer.Option(metavar="TEXT", help="Judge only the targets whose name, package or environment contains TEXT."),
    ] = "",
    environments: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the virtual environments are kept.",
            show_default="the cache of the user",
            file_okay=False,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was interrupted, and judge what has changed.")
    ] = False,
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Print what would be installed and judged; install and judge nothing.")
    ] = False,
    table_only: Annotated[
        bool, typer.Option("--table", help="Write the table again from the records of the folder; judge nothing.")
    ] = False,
    workers: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="Targets judged at the same time, each in processes of its own."),
    ] = 1,
    backend: Backend = "loky",
    scheduler: Scheduler = None,
) -> None:
    """Judge many implementations and write a table: what each computes, and which of its properties hold.

    A suite names targets with their options, and what is installed into virtual environments for them. Each target is
    judged as `validate` does, by the interpreter of its environment. The folder gets matrix.html, .md and .json, badges
    of the packages, every record, what changed since the last run, and each defect with a program that shows it.

    A run downloads packages of others and runs their code: `published` takes gigabytes, and hours. See --plan first.
    """
    from rnn_harness.matrix.run import SuiteRun
    from rnn_harness.matrix.suite import load_suite, suite_file

    path = suite_file(suite)
    run = SuiteRun(load_suite(path), path.parent, environments or _cached_environments(), output, only)
    if plan_only:
        _print_plan(run)
        return
    pool = worker_pool(workers, backend, scheduler)
    if table_only:
        if resume or only:
            raise UsageError("--table judges nothing: leave out --resume and --only")
        judged = run.known()
        if not judged:
            raise UsageError(
                f"--table: {output} holds no records: run rnn-harness matrix {suite} --output {output} first"
            )
        raise typer.Exit(_written(run, judged))
    judged, is_interrupted = _judged(run, pool, resume)
    if is_interrupted:
        typer.echo(f"rnn-harness: interrupted after {len(judged)} targets; --resume goes on", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED)
    raise typer.Exit(_written(run, judged))


def _cached_environments() -> Path:
    """Return the folder in which environments are kept unless another one is named."""
    from platformdirs import user_cache_path

    return user_cache_path("rnn-harness") / "environments"


def _print_plan(run: SuiteRun) -> None:
    """Print what would be installed and judged."""
    jobs = run.selected_jobs()
    for name in dict.fromkeys(job.target.environment for job in jobs):
        plan = run.suite.plan_of(name)
        typer.echo(f"{name}: {', '.join(plan.requires) if plan is not None else 'the packages that are here'}")
        for job in jobs:
            if job.target.environment == name:
                typer.echo(f"  {job.target.name}  ({job.target.package})")
    packages = {job.target.package for job in jobs}
    typer.echo(f"{len(jobs)} targets of {len(packages)} packages")


def _judged(run: SuiteRun, pool: WorkerPool, resume: bool) -> tuple[list[JudgedTarget], bool]:
    """Judge what is to be judged; return it with what counts of earlier runs, and whether Ctrl-C ended the work."""
    from rnn_harness.matrix.judging import end_running_targets
    from rnn_harness.matrix.run import JOURNAL, reusable

    run.ensure_writable()
    if (run.output / JOURNAL).is_file() and not resume:
        raise UsageError(
            f"{run.output / JOURNAL} holds the results of a run that was interrupted: give --resume to go on, or "
            "another folder with --output"
        )
    jobs = run.selected_jobs()
    judged: list[JudgedTarget] = []
    names = {job.target.environment for job in jobs}
    with Interrupt(), progress_bar(len(jobs) + len(names)) as on_start:
        try:
            jobs = run.prepared(on_start)
            known = run.known()
            reused = reusable(jobs, known) if resume else {}
            pending = [job for job in jobs if job.key not in reused]
            asked = {job.key for job in jobs}
            judged = [*reused.values(), *(row for row in known if run.only and row.key not in asked)]
            for row in run.judge(pending, pool):
                on_start(f"{row.name}: {row.ending}")
                judged.append(row)
        except KeyboardInterrupt:
            end_running_targets()
            return judged, True
    return judged, False


def _written(run: SuiteRun, judged: Sequence[JudgedTarget]) -> ExitCode:
    """Write everything that comes of a run, print the table, and return how the command ends."""
    from rnn_harness.matrix.outputs import write_outputs
    from rnn_harness.reports.text.matrix import terminal_table

    in_order = run.in_order(judged)
    table = write_outputs(run, in_order)
    if not is_quiet():
        for line in terminal_table(table):
            typer.echo(line)
    endings = [row.ending for row in table.rows]
    code = _exit_code(endings)
    agreeing, refuted = endings.count("agrees"), endings.count("refuted")
    verdict = f"{agreeing} of {len(endings)} implementations agree, {refuted} refuted, "
    verdict += f"{len(endings) - agreeing - refuted} undecided or not driven"
    print_conclusion(
        Conclusion(verdict, f"open {run.output / 'matrix.html'}  (the table, with what is behind each cell)"), code
    )
    return code


def _exit_code(endings: Sequence[str]) -> ExitCode:
    """Return how the command ends: a refutation counts before what is undecided."""
    if "refuted" in endings:
        return ExitCode.REFUTED
    return ExitCode.AGREES if all(ending == "agrees" for ending in endings) else ExitCode.UNDECIDED
