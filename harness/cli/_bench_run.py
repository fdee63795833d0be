"""Run the jobs of a benchmark with a progress bar; what they measure is written as it comes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_harness.cli._shared import Interrupt, console
from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from rnn_harness.benchmarks import BenchmarkJob, WorkerPool
    from rnn_harness.records.measurement import Measurement


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


def recorded_measurements(path: Path | None, resume: bool) -> list[Measurement]:
    """Read the measurements of a file that is continued, without those of failed jobs.

    Args:
        path: The file; None and a file that is missing or empty hold none.
        resume: Whether it is continued.

    Raises:
        UsageError: It holds measurements but is not continued, or cannot be read.
    """
    from rnn_harness.records.measurement import read_measurements

    if path is None or not path.exists() or not path.stat().st_size:
        return []
    if not resume:
        raise UsageError(f"{path} holds measurements already: give --resume to go on, or another file")
    return [measurement for measurement in read_measurements(path) if measurement.kind != "failed"]


def pending_jobs(jobs: Sequence[BenchmarkJob], recorded: Sequence[Measurement]) -> list[BenchmarkJob]:
    """Return the jobs that have no recorded measurement.

    Args:
        jobs: All jobs of the plan.
        recorded: The measurements of an earlier run; a job that failed there counts as recorded.
    """
    done = {measurement.job for measurement in recorded}
    return [job for job in jobs if job.title not in done]


def measure_with_progress(
    jobs: Sequence[BenchmarkJob],
    recorded: Sequence[Measurement],
    path: Path | None,
    pool: WorkerPool | None = None,
) -> tuple[list[Measurement], bool]:
    """Run jobs with a progress bar by estimated seconds; the file is rewritten after each.

    Args:
        jobs: The jobs.
        recorded: The measurements that there are already.
        path: The file that all measurements are written to, if any.
        pool: Where jobs run that do not time.

    Returns:
        All measurements, the recorded ones first, and whether the user interrupted.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from rnn_harness.benchmarks import run_jobs
    from rnn_harness.records.measurement import write_measurements

    measurements = list(recorded)
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
            task = bar.add_task("", total=sum(job.seconds for job in jobs))
            for result in run_jobs(jobs, pool, interrupt.check):
                measurements += result.measurements
                bar.update(task, description=result.job.title[:56], advance=result.job.seconds)
                if path is not None:
                    write_measurements(path, measurements)
                interrupt.check()
    except KeyboardInterrupt:
        return measurements, True
    return measurements, False
