"""Run the jobs of a benchmark with a progress bar; what they measure is written as it comes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_harness.cli._progress import progress_beside_bar
from rnn_harness.cli._shared import Interrupt, console
from rnn_harness.cli._verbosity import is_quiet
from rnn_harness.errors import UsageError
from rnn_harness.runtime.file_lock import FileLock

if TYPE_CHECKING:
    from rnn_harness.benchmarks import BenchmarkJob
    from rnn_harness.records.measurement import Measurement
    from rnn_harness.runtime.worker_pool import WorkerPool


def pin_threads(threads: int) -> None:
    """Set the number of threads of BLAS and torch.

    BLAS reads its number once, when NumPy is imported: nothing may import it before this.

    Args:
        threads: The number for each library, at least 1.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    import torch

    torch.set_num_threads(threads)


def locked(path: Path | None) -> AbstractContextManager[object]:
    """Let no other run write to a file of measurements; it is rewritten after each job, and theirs would be lost.

    Args:
        path: The file; None where nothing is written.

    Raises:
        UsageError: Another run writes to it.
    """
    return contextlib.nullcontext() if path is None else FileLock(path)


def recorded_measurements(path: Path | None, resume: bool) -> list[Measurement]:
    """Read the measurements of a file that is continued, without those of failed jobs.

    Args:
        path: The file; None and a file that is missing or empty hold none.
        resume: Whether it is continued.

    Raises:
        UsageError: It holds measurements but is not continued, or cannot be read.
    """
    import typer

    from rnn_harness.records.measurement import read_measurements

    if path is None or not path.exists() or not path.stat().st_size:
        return []
    if not resume:
        raise UsageError(f"{path} holds measurements already: give --resume to go on, or another file")
    cut_off: list[str] = []
    measurements = read_measurements(path, cut_off)
    for warning in cut_off:
        typer.echo(f"rnn-harness: {warning}", err=True)
    return [measurement for measurement in measurements if measurement.kind != "failed"]


@dataclass(frozen=True)
class PendingJobs:
    """What there is to measure, and what an earlier run measured of the same.

    Attributes:
        jobs: The jobs that must be run.
        recorded: The measurements that are kept: of jobs of which nothing has changed, and of jobs of other plans.
    """

    jobs: tuple[BenchmarkJob, ...]
    recorded: tuple[Measurement, ...]


def pending_jobs(jobs: Sequence[BenchmarkJob], recorded: Sequence[Measurement]) -> PendingJobs:
    """Say which jobs must be run: those without a measurement, and those of which something has changed.

    Args:
        jobs: All jobs of the plan.
        recorded: The measurements of an earlier run.
    """
    digests = {job.title: job_digest(job) for job in jobs}
    kept = tuple(
        measurement
        for measurement in recorded
        if measurement.job not in digests
        or (measurement.depends_on and measurement.depends_on == digests[measurement.job])
    )
    done = {measurement.job for measurement in kept}
    return PendingJobs(tuple(job for job in jobs if job.title not in done), kept)


def job_digest(job: BenchmarkJob) -> str:
    """Return a digest of everything that a job's measurements depend on; empty where it runs code of others.

    Args:
        job: The job, of which kind, title, plan and settings count; the machine counts too.
    """
    from rnn_harness.records.dependencies import digest_of
    from rnn_harness.records.measurement_stamp import machine

    if job.times_candidates:
        return ""
    return digest_of("benchmark", job.kind, job.title, job.plan, job.settings, machine())


def measure_with_progress(
    pending: PendingJobs,
    path: Path | None,
    pool: WorkerPool | None = None,
) -> tuple[list[Measurement], bool]:
    """Run jobs with a progress bar by estimated seconds; the file is rewritten after each.

    Args:
        pending: The jobs, and the measurements that there are already.
        path: The file that all measurements are written to, if any.
        pool: Where jobs run that do not time.

    Returns:
        All measurements, the recorded ones first, and whether the user interrupted.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from rnn_harness.benchmarks import run_jobs
    from rnn_harness.records.measurement import write_measurements

    measurements = list(pending.recorded)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
        disable=is_quiet() or not sys.stderr.isatty(),
    )
    try:
        with bar, progress_beside_bar(len(pending.jobs)) as on_end, Interrupt() as interrupt:
            task = bar.add_task("", total=sum(job.seconds for job in pending.jobs))
            for result in run_jobs(pending.jobs, pool, interrupt.check):
                update = {"depends_on": job_digest(result.job)}
                measurements += [measurement.model_copy(update=update) for measurement in result.measurements]
                bar.update(task, description=result.job.title[:56], advance=result.job.seconds)
                on_end(f"{result.job.title}: done")
                if path is not None:
                    write_measurements(path, measurements)
                interrupt.check()
    except KeyboardInterrupt:
        return measurements, True
    return measurements, False
