"""``rnn-harness bench``: how fast, how large, how far back the gradient reaches."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._shared import Interrupt, console, guarded, known_spec
from rnn_harness.errors import ExitCode, UsageError
from rnn_harness.families import FAMILIES

if TYPE_CHECKING:
    from rnn_harness.benchmarks import Job, Measurement

_WHAT = ("parameters", "decay", "speed")
_ASKED = ("learning",)
"""Measured only if it is named: it takes minutes."""
_FAMILIES = tuple(FAMILIES)


@guarded
def bench(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[parameters|decay|speed|learning]",
            help="What to measure; all but learning by default, which takes minutes.",
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Under a minute: one size, few rounds, three seeds.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Some minutes: six sizes, all variants, 25 rounds, ten seeds.")
    ] = False,
    families: Annotated[str, typer.Option(help="Which of rnn, gru, lstm, parted by commas.")] = "rnn,gru,lstm",
    dtype: Annotated[str, typer.Option(help="float32 or float64, for speed.")] = "float32",
    device: Annotated[str, typer.Option(help="cpu or cuda, for speed.")] = "cpu",
    spec: Annotated[
        list[str] | None,
        typer.Option(help="Time this spec (as gru.keep.column) and its kernels, compiled ones too; may be repeated."),
    ] = None,
    cell: Annotated[
        list[str] | None, typer.Option(help="Somebody's cell beside ours (as for validate); may be repeated.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch and BLAS.")] = 1,
    plan_only: Annotated[bool, typer.Option("--plan", help="Print what would run, and about how long.")] = False,
    records: Annotated[
        Path | None, typer.Option(help="Write every measurement to this file as it comes.", dir_okay=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the file given by --records.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes for what is not timed.")] = 1,
    backend: Annotated[str, typer.Option(help="Where they run: loky (here), dask or ray.")] = "loky",
    scheduler: Annotated[
        str | None, typer.Option(help="The cluster: tcp://host:port (dask), host:port or auto (ray).")
    ] = None,
    save: Annotated[str | None, typer.Option(metavar="NAME", help="Keep the measurements under a name.")] = None,
    compare: Annotated[str | None, typer.Option(metavar="NAME", help="Hold them against those kept as NAME.")] = None,
    fail_on: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="With --compare: exit 1 for a real loss of more than that.")
    ] = None,
    other_machine: Annotated[
        bool, typer.Option("--other-machine", help="Compare across machines all the same.")
    ] = False,
    keep_in: Annotated[Path | None, typer.Option(help="The folder of kept measurements.", file_okay=False)] = None,
) -> None:
    """Measure RNN, GRU and LSTM side by side: parameters in closed form, decay of gradients over time, speed.

    No time is shown of what does not give the right numbers at the same sizes and dtype. Times come interleaved in one
    process, as medians with a 95 % interval, beside a control that tells when the machine itself changed.
    """
    _affordable(threads)
    chosen = tuple(what or _WHAT)
    _heeded(chosen, families, dtype, device, spec, backend, scheduler, compare, other_machine)
    pinned(threads)
    from rnn_harness.benchmarks import FULL, QUICK, USUAL, plan, write_measurements

    own = tuple(name.strip() for name in families.split(","))
    _known("measurement", chosen, (*_WHAT, *_ASKED))
    if cell and "speed" not in chosen:
        raise UsageError(f"--cell is timed beside the others by speed, which {', '.join(chosen)} leaves out")
    _known("family", own, _FAMILIES)
    _known("dtype", (dtype,), ("float32", "float64"))
    _known("device", (device,), ("cpu", "cuda"))
    _there(device)
    _known("backend", (backend,), ("loky", "dask", "ray"))
    limit = _percent(fail_on)
    if quick and full:
        raise UsageError("--quick and --full are two plans: give one of them")
    if fail_on is not None and compare is None:
        raise UsageError("--fail-on needs something to compare with: --compare NAME")
    timed = tuple(_timed(one) for one in spec or ())
    for one in cell or ():
        _loaded(one)
    jobs = plan(QUICK if quick else FULL if full else USUAL, chosen, own, dtype, tuple(cell or ()), timed, device)
    if plan_only:
        for job in jobs:
            beside = f", beside {', '.join(cell)}" if cell and job.alone else ""
            typer.echo(f"{job.cost:7.1f} s  {job.title}{beside}")
        typer.echo(f"{sum(job.cost for job in jobs):7.1f} s  in all, about")
        return
    if save is not None:
        from rnn_harness.records.measurement_history import ensure_writable

        ensure_writable(save, keep_in)
    before = None
    if compare is not None:
        from rnn_harness.records.measurement_history import load_measurements

        before = load_measurements(compare, keep_in)
    if resume and records is None:
        raise UsageError("--resume goes on with a file of measurements: name it with --records FILE")
    known = known_already(records, resume)
    left = [job for job in jobs if job.title not in {one.job for one in known}]
    if records is not None:
        write_measurements(records, known)  # a file that cannot be written is told before the work
    found, interrupted = measured_by(left, known, records, (workers, backend, scheduler))
    if save is not None:
        from rnn_harness.records.measurement_history import save_measurements

        typer.echo(f"kept as {save}: {save_measurements(save, found, keep_in)}", err=True)
    from rnn_harness.reports.text.benchmarks import print_bench, print_changes

    print_bench(console(), found)
    if interrupted:
        typer.echo(f"rnn-harness: interrupted after {len(found)} measurements", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED)
    wrong = any(one.agrees is False for one in found)
    if before is not None:
        from rnn_harness.records.measurement_history import compare_measurements

        changes = compare_measurements(before, found, other_machine)
        if changes:
            print_changes(console(), changes, str(compare))
        else:
            told = f"nothing to compare: {compare} and this have no measured times or rates in common"
            typer.echo(f"rnn-harness: {told}", err=True)
            raise typer.Exit(ExitCode.REFUTED if wrong else ExitCode.UNDECIDED)
        wrong = wrong or (limit is not None and any(one.is_real and one.factor > 1 + limit for one in changes))
    raise typer.Exit(ExitCode.REFUTED if wrong else ExitCode.AGREES)


def _affordable(threads: int) -> None:
    """Raises UsageError for more threads than a library can start."""
    import os

    cores = os.cpu_count() or 1
    if threads > 4 * cores:
        raise UsageError(f"--threads {threads}: there are {cores} cores here; expected at most {4 * cores}")


def _heeded(
    chosen: tuple[str, ...],
    families: str,
    dtype: str,
    device: str,
    spec: list[str] | None,
    backend: str,
    scheduler: str | None,
    compare: str | None,
    other_machine: bool,
) -> None:
    """Raises UsageError for an option that what is asked for would leave aside."""
    given = {"--spec": bool(spec), "--dtype": dtype != "float32", "--device": device != "cpu"}
    idle = [name for name, there in given.items() if there]
    if idle and "speed" not in chosen:
        raise UsageError(f"{', '.join(idle)} is for speed, which {', '.join(chosen)} leaves out")
    if spec and families != ",".join(_FAMILIES) and chosen == ("speed",):
        raise UsageError(f"--spec {spec[0]} is timed in the place of --families {families}: give one of them")
    if scheduler is not None and backend == "loky":
        raise UsageError(f"--scheduler {scheduler} is of --backend dask or --backend ray: give one of them too")
    if other_machine and compare is None:
        raise UsageError("--other-machine needs something to compare with: --compare NAME")


def _loaded(cell: str) -> None:
    """That somebody's cell is there, before anything is timed. Raises UsageError."""
    import contextlib

    from rnn_harness.validation import load_target

    with contextlib.redirect_stdout(sys.stderr):  # what it prints is no part of ours
        load_target(cell)


def _known(kind: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UsageError(f"there is no {kind} {', '.join(map(repr, unknown))}; there are {', '.join(known)}")


def _there(device: str) -> None:
    """Raises UsageError where there is no such device."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            f"there is no CUDA device here (torch {torch.__version__}): --device cpu times on the processor"
        )


def _timed(text: str) -> str:
    """A spec that can be timed. Raises UsageError."""
    found = known_spec(text)
    if found.reference is None:
        raise UsageError(f"{found.id} has no reference to be timed beside: rnn-harness specs lists those that have one")
    return text


def _percent(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value < math.inf:
        raise UsageError(f"--fail-on {text!r} is no share: give for example 10%")
    return value / 100


def pinned(threads: int) -> None:
    """BLAS reads its number once, when NumPy is imported: nothing before this may do so. torch is told."""
    import os

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    import torch

    torch.set_num_threads(threads)


def known_already(records: Path | None, resume: bool) -> list[Measurement]:
    """What a file holds; one that is not to be gone on with is not touched. Raises UsageError."""
    from rnn_harness.benchmarks import read_measurements

    if records is None or not records.exists() or not records.stat().st_size:
        return []
    if not resume:
        raise UsageError(f"{records} holds measurements already: give --resume to go on, or another file")
    return [one for one in read_measurements(records) if one.kind != "failed"]


def measured_by(
    jobs: list[Job], known: list[Measurement], records: Path | None, where: tuple[int, str, str | None]
) -> tuple[list[Measurement], bool]:
    """The measurements, with a progress bar by cost; True if it was interrupted. They are written job by job."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from rnn_harness.benchmarks import write_measurements
    from rnn_harness.benchmarks.run import run

    found = list(known)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    try:
        with bar, Interrupt() as interrupt:
            task = bar.add_task("", total=sum(job.cost for job in jobs))
            for job, made in run(jobs, *where, interrupt.check):
                found += made
                bar.update(task, description=job.title[:56], advance=job.cost)
                if records is not None:
                    write_measurements(records, found)
                interrupt.check()
    except KeyboardInterrupt:
        return found, True
    return found, False
