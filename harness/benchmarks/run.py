"""Run a plan: jobs that time run alone, the others side by side, here or on a cluster that joblib knows.

A job that raises, and one whose worker dies, is a measurement that says so; whatever was finished stays.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

from rnn_harness.benchmarks.plan import Job
from rnn_harness.errors import UsageError
from rnn_harness.records.measurement import FailedBenchmark, Measurement, stamp

SCHEDULERS = {"dask": "tcp://host:port", "ray": "host:port (or auto, for one on this machine)"}
"""Clusters that joblib can run a plan on, and how each is addressed."""
Done = tuple[Job, list[Measurement]]


def run(
    jobs: Sequence[Job],
    workers: int = 1,
    backend: str = "loky",
    scheduler: str | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Done]:
    """Jobs with what they measured, as they are done. `scheduler`: the address of a cluster, for dask and ray."""
    together = [job for job in jobs if not job.alone]
    if workers > 1 or backend != "loky":
        yield from _beside(together, workers, backend, scheduler)
        together = []
    for job in (*together, *(job for job in jobs if job.alone)):
        yield job, attempted(job, tick)


def attempted(job: Job, tick: Callable[[], None] = lambda: None) -> list[Measurement]:
    """A job's measurements; what it raises is one."""
    try:
        return [one.model_copy(update={"job": job.title}) for one in job.run(tick)]
    except (KeyboardInterrupt, UsageError):
        raise
    except Exception as error:  # a job may meet anything; the others go on
        return [failed(job, f"{type(error).__name__}: {error}")]


def failed(job: Job, reason: str) -> FailedBenchmark:
    """Record that a job failed, and why."""
    return stamp(FailedBenchmark(job_kind=job.kind, subject=job.title, spec="", reason=reason, job=job.title))


def _beside(jobs: list[Job], workers: int, backend: str, scheduler: str | None) -> Iterator[Done]:
    import joblib  # type: ignore[import-untyped]

    left = {job.title: job for job in jobs}
    with _cluster(backend, scheduler):
        try:
            with joblib.parallel_config(backend=backend, n_jobs=workers):
                calls = (joblib.delayed(_named)(job) for job in jobs)
                for title, found in joblib.Parallel(return_as="generator_unordered")(calls):
                    yield left.pop(title), found
        except (KeyboardInterrupt, UsageError, GeneratorExit):
            raise
        except Exception as error:  # a worker died, or the cluster: which job it had is found out one by one
            told = f"{type(error).__name__}: {str(error)[:200]}"
            warnings.warn(f"the workers ended ({told}); the {len(left)} jobs left run here, one by one", stacklevel=2)
            for job in list(left.values()):
                yield job, _by_itself(job)


def _named(job: Job) -> tuple[str, list[Measurement]]:
    return job.title, attempted(job)


def _by_itself(job: Job) -> list[Measurement]:
    """In a process of its own, which may die."""
    import joblib
    from joblib.externals.loky import get_reusable_executor  # type: ignore[import-untyped]

    get_reusable_executor(kill_workers=True).shutdown(wait=True)  # one that has lost a worker takes no more work
    try:
        with joblib.parallel_config(backend="loky", n_jobs=2):
            (found,) = joblib.Parallel()([joblib.delayed(_named)(job)])
        return list(found[1])
    except Exception as error:  # its process died
        return [failed(job, f"its process died: {type(error).__name__}: {str(error)[:200]}")]


def _cluster(backend: str, scheduler: str | None) -> AbstractContextManager[Any]:
    """A client of a Dask scheduler or of a Ray cluster, if one is meant. Raises UsageError."""
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
