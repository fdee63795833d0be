"""One runner of independent calls for every command: in this process, in several, or on a cluster that joblib knows.

A call whose process dies has a result that says so; what the other calls gave stays.
"""

from __future__ import annotations

import queue
import socket
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, NamedTuple, TypeVar

from rnn_harness.errors import UsageError
from rnn_harness.runtime.dask_client import connect_to_dask

Result = TypeVar("Result")

SCHEDULERS = {"dask": "tcp://host:port", "ray": "host:port (or auto, for one on this machine)"}
"""Clusters that joblib can run calls on, and how each is addressed."""
BACKENDS = ("loky", *SCHEDULERS)
"""Where calls can run: in processes of this machine, or on a cluster."""


@dataclass(frozen=True)
class WorkerPool:
    """Where calls run.

    Attributes:
        workers: The number of processes; of a Ray cluster, as many are used as it has processors.
        backend: ``loky`` (here), ``dask`` or ``ray``.
        scheduler: The address of the cluster, for dask and ray.
    """

    workers: int = 1
    backend: str = "loky"
    scheduler: str | None = None

    @property
    def is_this_process(self) -> bool:
        """Whether the calls run in this process, one by one."""
        return self.workers == 1 and self.backend == "loky"


@dataclass(frozen=True)
class PoolCall(Generic[Result]):
    """A call that depends on no other.

    Attributes:
        work: What is called; it can be pickled, and so can its result.
        died: Gives the result of a call whose process died, from how it ended; it stays in this process.
    """

    work: Callable[[], Result]
    died: Callable[[str], Result]


class PoolResult(NamedTuple, Generic[Result]):
    """The result of a call.

    Attributes:
        number: The place of the call among all.
        result: What it gave.
    """

    number: int
    result: Result


def run_calls(calls: Sequence[PoolCall[Result]], pool: WorkerPool) -> Iterator[PoolResult[Result]]:
    """Run calls and yield their results as they are done, in any order; in this process in the order of the calls.

    Args:
        calls: The calls; an error that one raises is raised here.
        pool: Where they run.

    Raises:
        UsageError: No cluster answers, or a call cannot be done as it was asked for.
    """
    if pool.is_this_process:
        for number, call in enumerate(calls):
            yield PoolResult(number, call.work())
    elif calls and pool.backend == "ray":
        yield from _run_on_ray(calls, pool)
    elif calls:
        yield from _run_in_pool(calls, pool)


def run_in_threads(calls: Sequence[PoolCall[Result]], workers: int) -> Iterator[PoolResult[Result]]:
    """Run calls in threads of this process and yield their results as they are done: for calls that wait for processes.

    Where nobody takes the results any more, the threads end with this process, and the processes with them.

    Args:
        calls: The calls; an error that one raises is raised here.
        workers: The number of threads.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Result | _Raised]] = queue.SimpleQueue()
    for number in range(len(calls)):
        waiting.put(number)

    def work() -> None:
        while True:
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            done.put(_outcome(number, calls[number].work))

    for _ in range(min(workers, len(calls))):
        threading.Thread(target=work, daemon=True).start()
    for _ in calls:
        number, outcome = done.get()
        if isinstance(outcome, _Raised):
            raise outcome.error
        yield PoolResult(number, outcome)


@dataclass(frozen=True)
class _Raised:
    """What a call raised in a process of the pool."""

    error: Exception


def _outcome(number: int, work: Callable[[], Result]) -> tuple[int, Result | _Raised]:
    """Make a call in a process of the pool; its error comes back as a value, to be told from a process that died."""
    try:
        return number, work()
    except Exception as error:  # whatever it is, it is raised again where the call was asked for
        return number, _Raised(error)


def _run_in_pool(calls: Sequence[PoolCall[Result]], pool: WorkerPool) -> Iterator[PoolResult[Result]]:
    """Yield the results of calls in other processes; where a process dies, the calls that remain run one by one.

    Raises:
        UsageError: No cluster answers.
    """
    import joblib  # type: ignore[import-untyped]

    pending = dict(enumerate(calls))
    raised: _Raised | None = None
    with _cluster(pool):
        try:
            with joblib.parallel_config(backend=pool.backend, n_jobs=pool.workers):
                delayed = (joblib.delayed(_outcome)(number, call.work) for number, call in enumerate(calls))
                for number, outcome in joblib.Parallel(return_as="generator_unordered", batch_size=1)(delayed):
                    if isinstance(outcome, _Raised):
                        raised = outcome
                        break
                    del pending[number]
                    yield PoolResult(number, outcome)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except Exception as error:  # a worker died, or the cluster: one by one the calls show which it was
            ending = f"{type(error).__name__}: {str(error)[:200]}"
            warnings.warn(
                f"the workers ended ({ending}); the {len(pending)} jobs left run here, one by one", stacklevel=2
            )
            for number, call in list(pending.items()):
                yield PoolResult(number, _result_in_own_process(call))
    if raised is not None:
        raise raised.error


def _run_on_ray(calls: Sequence[PoolCall[Result]], pool: WorkerPool) -> Iterator[PoolResult[Result]]:
    """Yield the results of calls on a Ray cluster; joblib's own way there gives none before all are done.

    Raises:
        UsageError: No cluster answers.
    """
    with _cluster(pool):
        ray = import_module("ray")
        remote_outcome = ray.remote(num_cpus=1, max_retries=0)(_outcome)
        waiting = {remote_outcome.remote(number, call.work): number for number, call in enumerate(calls)}
        while waiting:
            ((done,), _) = ray.wait(list(waiting), num_returns=1)
            number = waiting.pop(done)
            try:
                _, outcome = ray.get(done)
            except ray.exceptions.RayError as error:  # its process died, or its machine
                ending = f"its process died: {type(error).__name__}: {str(error)[:200]}"
                yield PoolResult(number, calls[number].died(ending))
                continue
            if isinstance(outcome, _Raised):
                raise outcome.error
            yield PoolResult(number, outcome)


def _result_in_own_process(call: PoolCall[Result]) -> Result:
    """Make a call in a process of its own, which may die."""
    import joblib
    from joblib.externals.loky import get_reusable_executor  # type: ignore[import-untyped]

    get_reusable_executor(kill_workers=True).shutdown(wait=True)  # one that has lost a worker takes no more work
    try:
        with joblib.parallel_config(backend="loky", n_jobs=2):
            ((_, outcome),) = joblib.Parallel()([joblib.delayed(_outcome)(0, call.work)])
    except Exception as error:  # its process died
        return call.died(f"its process died: {type(error).__name__}: {str(error)[:200]}")
    if isinstance(outcome, _Raised):
        raise outcome.error
    result: Result = outcome
    return result


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
            ray = import_module("ray")
            _check_that_somebody_listens(scheduler)
            client = ray.init(address=scheduler, log_to_driver=False, logging_level="error")
        else:
            client = connect_to_dask(scheduler)
    except ImportError as error:
        raise UsageError(f"{backend} is not installed ({error}): pip install 'rnn-harness[{backend}]'") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"no {backend} cluster answers at {scheduler}: {error}") from None
    return client


def _check_that_somebody_listens(scheduler: str) -> None:
    """Try to connect to ``host:port``: Ray itself waits for minutes, and then ends this process. Raises OSError."""
    host, _, port = scheduler.rpartition(":")
    if host and port.isdigit():
        with socket.create_connection((host, int(port)), timeout=10):
            pass
