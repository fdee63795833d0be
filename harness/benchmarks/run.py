"""Run a plan: exclusive jobs one after the other, the others at the same time, here or on a cluster that joblib knows.

A job that raises, or whose process dies, becomes a measurement that says so; what the other jobs measured stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from rnn_harness.benchmarks.job import BenchmarkJob
from rnn_harness.errors import UsageError
from rnn_harness.records.measurement import FailedBenchmark, Measurement
from rnn_harness.records.measurement_stamp import stamp
from rnn_harness.runtime.worker_pool import PoolCall, WorkerPool, run_calls


class JobResult(NamedTuple):
    """A job with what it measured.

    Attributes:
        job: The job that ran, or failed.
        measurements: Its measurements, or one that says that it failed.
    """

    job: BenchmarkJob
    measurements: list[Measurement]


def run_jobs(
    jobs: Sequence[BenchmarkJob], pool: WorkerPool | None = None, check_interrupt: Callable[[], None] = lambda: None
) -> Iterator[JobResult]:
    """Run jobs and yield what they measured, as they are done.

    Args:
        jobs: The jobs of a plan; those that are exclusive run last, one by one, in this process.
        pool: Where jobs that are not exclusive run; in this process where it is None.
        check_interrupt: Called often by the jobs that run in this process.

    Raises:
        UsageError: No cluster answers, or a job cannot be done as it was asked for.
    """
    pool = pool or WorkerPool()
    exclusive = [job for job in jobs if job.exclusive]
    shared = [job for job in jobs if not job.exclusive]
    if pool.is_this_process:
        exclusive, shared = [*shared, *exclusive], []
    calls = [PoolCall(partial(run_job, job), partial(_died, job)) for job in shared]
    for number, measurements in run_calls(calls, pool):
        yield JobResult(shared[number], measurements)
    for job in exclusive:
        yield JobResult(job, run_job(job, check_interrupt))


def run_job(job: BenchmarkJob, check_interrupt: Callable[[], None] = lambda: None) -> list[Measurement]:
    """Return a job's measurements; if it raises, one that says so.

    Args:
        job: The job; a `UsageError` and an interrupt of it are passed on.
        check_interrupt: Called by the job between its parts; raises where it should stop.
    """
    try:
        origin = {"job": job.title, "plan": job.plan}
        return [measurement.model_copy(update=origin) for measurement in job.run(check_interrupt)]
    except (KeyboardInterrupt, UsageError):
        raise
    except Exception as error:  # a job may meet anything; the others go on
        return [failed_benchmark(job, f"{type(error).__name__}: {error}")]


def failed_benchmark(job: BenchmarkJob, reason: str) -> FailedBenchmark:
    """Return the measurement that says that a job failed, and why.

    Args:
        job: The job that raised, or whose process died.
        reason: What the reader sees.
    """
    return stamp(
        FailedBenchmark(job_kind=job.kind, subject=job.title, spec="", reason=reason, job=job.title, plan=job.plan)
    )


def _died(job: BenchmarkJob, reason: str) -> list[Measurement]:
    """Return the one measurement of a job whose process died."""
    return [failed_benchmark(job, reason)]
