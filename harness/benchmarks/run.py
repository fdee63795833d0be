"""Run a plan: exclusive jobs one after the other, the others at the same time, here or on a cluster that joblib knows.

A job that raises, or whose process dies, becomes a measurement that says so; what the other jobs measured stays.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from rnn_harness.benchmarks.job import BenchmarkJob
from rnn_harness.errors import UsageError
from rnn_harness.records.measurement import FailedBenchmark, Measurement
from rnn_harness.records.measurement_stamp import stamp

SCHEDULERS = {"dask": "tcp://host:port", "ray": "host:port (or auto, for one on this machine)"}
"""Clusters that joblib can run a plan on, and how each is addressed."""


class JobResult(NamedTuple):
    """A job with what it measured.

    Attributes:
        job: The job that ran, or failed.
        measurements: Its measurements, or one that says that it failed.
    """

    job: BenchmarkJob
    measurements: list[Measurement]


@dataclass(frozen=True)
class WorkerPool:
    """Where jobs that are not exclusive run.

    Attributes:
        workers: The number of processes.
        backend: ``loky`` (here), ``dask`` or ``ray``.
        scheduler: The address of the cluster, for dask and ray.
    """

    workers: int = 1
    backend: str = "loky"
    scheduler: str | None = None


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
    shared = [job for job in jobs if not job.exclusive]
    if pool.workers > 1 or pool.backend != "loky":
        yield from _run_in_workers(shared, pool)
        shared = []
    for job in (*shared, *(job for job in jobs if job.exclusive)):
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


def _run_in_workers(jobs: list[BenchmarkJob], pool: WorkerPool) -> Iterator[JobResult]:
    import joblib  # type: ignore[import-untyped]

    pending = {job.title: job for job in jobs}
    with _cluster(pool):
        try:
            with joblib.parallel_config(backend=pool.backend, n_jobs=pool.workers):
                calls = (joblib.delayed(_titled_result)(job) for job in jobs)
                for title, measurements in joblib.Parallel(return_as="generator_unordered")(calls):
                    yield JobResult(pending.pop(title), measurements)
        except (KeyboardInterrupt, UsageError, GeneratorExit):
            raise
        except Exception as error:  # a worker died, or the cluster: one by one the jobs show which it was
            ending = f"{type(error).__name__}: {str(error)[:200]}"
            warnings.warn(
                f"the workers ended ({ending}); the {len(pending)} jobs left run here, one by one", stacklevel=2
            )
            for job in list(pending.values()):
                yield JobResult(job, _run_in_process(job))


def _titled_result(job: BenchmarkJob) -> tuple[str, list[Measurement]]:
    return job.title, run_job(job)


def _run_in_process(job: BenchmarkJob) -> list[Measurement]:
    """Run a job in a process of its own, which may die."""
    import joblib
    from joblib.externals.loky import get_reusable_executor  # type: ignore[import-untyped]

    get_reusable_executor(kill_workers=True).shutdown(wait=True)  # one that has lost a worker takes no more work
    try:
        with joblib.parallel_config(backend="loky", n_jobs=2):
            ((_, measurements),) = joblib.Parallel()([joblib.delayed(_titled_result)(job)])
        return list(measurements)
    except Exception as error:  # its process died
        return [failed_benchmark(job, f"its process died: {type(error).__name__}: {str(error)[:200]}")]


def _cluster(pool: WorkerPool) -> AbstractContextManager[Any]:
    """Connect to a Dask scheduler or a Ray cluster, if one is meant. Raises UsageError."""
    backend, scheduler = pool.backend, pool.scheduler
    if backend == "loky":
        return nullcontext()
    if scheduler is None:
        raise UsageError(f"--backend {backend} needs --scheduler {SCHEDULERS[backend]}")
    client: AbstractContextManager[Any]
    try:
        if backend == "ray":
            client = import_module("ray").init(address=scheduler, log_to_driver=False, logging_level="error")
            import_module("ray.util.joblib").register_ray()
        else:
            client = import_module("distributed").Client(scheduler, timeout=10)
    except ImportError as error:
        raise UsageError(f"{backend} is not installed ({error}): pip install 'rnn-harness[{backend}]'") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"no {backend} cluster answers at {scheduler}: {error}") from None
    return client
