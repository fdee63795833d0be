"""``rnn-harness bench``: how fast, how large, how far back the gradient reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._bench_checks import check_before_import, check_options
from rnn_harness.cli._bench_conclusions import bench_conclusion, comparison_conclusion, wrong_measurements
from rnn_harness.cli._bench_options import BenchOptions, CellOptions
from rnn_harness.cli._bench_profiles import ProfiledCells, profile_cells
from rnn_harness.cli._bench_run import (
    locked,
    measure_with_progress,
    pending_jobs,
    pin_threads,
    recorded_measurements,
)
from rnn_harness.cli._conclusion import print_conclusion
from rnn_harness.cli._pool_options import Backend, Scheduler
from rnn_harness.cli._shared import console, exit_codes
from rnn_harness.cli._target_options import Adapter, Init, Memory, Timeout
from rnn_harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rnn_harness.benchmarks import BenchmarkJob
    from rnn_harness.records.cell_profile import CellProfile
    from rnn_harness.records.measurement import Measurement


@exit_codes
def bench(
    kinds: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KIND",
            help="parameters, decay, speed, learning (takes minutes), or unrolled (a cell over one sentence, gate by "
            "gate).",
            show_default="the first three",
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Under a minute: one size, few rounds, three seeds.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Some minutes: six sizes, all variants, 25 rounds, ten seeds.")
    ] = False,
    families: Annotated[
        str, typer.Option(metavar="NAMES", help="Which of rnn, gru and lstm, comma-separated.")
    ] = "rnn,gru,lstm",
    dtype: Annotated[str, typer.Option(metavar="DTYPE", help="For speed: float32 or float64.")] = "float32",
    device: Annotated[str, typer.Option(metavar="DEVICE", help="For speed: cpu or cuda.")] = "cpu",
    spec: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="Measure this spec (lstm.column, mgu, a file) and its kernels, not the families; may be repeated. A "
            "--cell is compared with it first.",
        ),
    ] = None,
    cell: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TARGET",
            help="Profile this cell or spec, measure the decay of its gradient, time it beside its spec, and train it "
            "with `learning`; may be repeated.",
        ),
    ] = None,
    init: Init = None,
    adapter: Adapter = None,
    timeout: Timeout = 120,
    memory: Memory = 8,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Threads of torch and BLAS.")] = 1,
    plan_only: Annotated[bool, typer.Option("--plan", help="Print what would run, and about how long.")] = False,
    records: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write every measurement as JSON Lines, as soon as it is there.", dir_okay=False
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the file of --records: what is measured is not measured again.")
    ] = False,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="Processes for what is not timed.")] = 1,
    backend: Backend = "loky",
    scheduler: Scheduler = None,
    save: Annotated[str | None, typer.Option(metavar="NAME", help="Keep the measurements as NAME.")] = None,
    compare: Annotated[
        str | None, typer.Option(metavar="NAME", help="Compare the measurements with those kept as NAME.")
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT",
            help="With --compare: fail where something is slower by more than that, beyond noise.",
        ),
    ] = None,
    other_machine: Annotated[
        bool, typer.Option("--other-machine", help="With --compare: compare although the machine was another.")
    ] = False,
    keep_in: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="The folder of kept measurements.", show_default="data of the user", file_okay=False
        ),
    ] = None,
) -> None:
    """Compare RNN, GRU and LSTM: parameters in closed form, decay of gradients over time, speed.

    No time is shown of what does not give the right numbers at the same sizes and dtype. Times come interleaved in one
    process, as medians with a 95 % interval, with a control that shows when the machine itself changed.
    """
    options = BenchOptions(
        kinds=tuple(kinds or BenchOptions.DEFAULT_KINDS),
        quick=quick,
        full=full,
        families_text=families,
        dtype=dtype,
        device=device,
        specs=tuple(spec or ()),
        cells=tuple(cell or ()),
        threads=threads,
        records=records,
        resume=resume,
        workers=workers,
        backend=backend,
        scheduler=scheduler,
        save=save,
        compare=compare,
        fail_on=fail_on,
        across_machines=other_machine,
        folder=keep_in,
        cell_options=CellOptions(
            tuple(init or ()), adapter, spec[0] if spec and len(spec) == 1 else "auto", timeout, memory
        ),
    )
    check_before_import(options)
    pin_threads(threads)
    check_options(options)
    profiled = ProfiledCells((), ())
    if options.cells:
        profiled = profile_cells(options.cells, options.cell_options, options.specs)
    options = replace(options, cells=profiled.timed, learning_cells=profiled.driven)
    if plan_only:
        _print_plan(options.plan(), options.cells)
        return
    raise typer.Exit(_run(options, options.plan(), profiled.profiles))


def _print_plan(jobs: Sequence[BenchmarkJob], cells: tuple[str, ...]) -> None:
    for job in jobs:
        with_cells = f", with {', '.join(cells)}" if cells and job.exclusive else ""
        typer.echo(f"{job.seconds:7.1f} s  {job.title}{with_cells}")
    typer.echo(f"{sum(job.seconds for job in jobs):7.1f} s  in all, about")


def _run(options: BenchOptions, jobs: list[BenchmarkJob], profiles: Sequence[CellProfile]) -> ExitCode:
    """Measure, print, save and compare; return how the command ends. Raises UsageError before anything is measured.

    A job that failed, or a cell of which nothing is known, leaves a good run undecided.
    """
    from rnn_harness.records.measurement import write_measurements
    from rnn_harness.records.measurement_history import ensure_writable, load_measurements, save_measurements
    from rnn_harness.reports.text.benchmarks import print_bench
    from rnn_harness.reports.text.cell_profile import profile_text

    if options.save is not None:
        ensure_writable(options.save, options.folder)
    older = load_measurements(options.compare, options.folder) if options.compare is not None else None
    if options.resume and options.records is None:
        raise UsageError("--resume goes on with a file of measurements: name it with --records FILE")
    with locked(options.records):
        pending = pending_jobs(jobs, recorded_measurements(options.records, options.resume))
        if options.records is not None:  # a file that cannot be written is reported before the work
            write_measurements(options.records, pending.recorded)
        measurements, interrupted = measure_with_progress(pending, options.records, options.pool)
    if options.save is not None:
        path = save_measurements(options.save, measurements, options.folder)
        typer.echo(f"kept as {options.save}: {path}", err=True)
    print_bench(console(), measurements)
    for profile in profiles:
        typer.echo(f"\n{profile_text(profile)}", nl=False)
    if interrupted:
        typer.echo(f"rnn-harness: interrupted after {len(measurements)} measurements", err=True)
        return ExitCode.INTERRUPTED
    is_failed = any(measurement.kind == "failed" for measurement in measurements)
    is_unknown = any(not profile.is_known for profile in profiles)
    code = ExitCode.UNDECIDED if is_failed or is_unknown else ExitCode.AGREES
    code = ExitCode.REFUTED if wrong_measurements(measurements) else code
    if older is None:
        print_conclusion(bench_conclusion(measurements, profiles), code)
        return code
    return _compare(options, older, measurements, code)


def _compare(
    options: BenchOptions, older: list[Measurement], measurements: list[Measurement], code: ExitCode
) -> ExitCode:
    """Print what changed, and return how the command ends."""
    from rnn_harness.records.measurement_history import compare_measurements
    from rnn_harness.reports.text.benchmarks import print_changes

    changes = compare_measurements(older, measurements, options.across_machines)
    if not changes:
        reason = f"nothing to compare: {options.compare} and this have no measured times or rates in common"
        typer.echo(f"rnn-harness: {reason}", err=True)
        return ExitCode.REFUTED if code is ExitCode.REFUTED else ExitCode.UNDECIDED
    print_changes(console(), changes, str(options.compare))
    limit = options.loss_limit
    is_slower = limit is not None and any(change.is_real and change.factor > 1 + limit for change in changes)
    code = ExitCode.REFUTED if is_slower else code
    print_conclusion(comparison_conclusion(changes, str(options.compare), limit), code)
    return code
