"""The options of every command that can work in several processes: ``--workers``, ``--backend``, ``--scheduler``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from rnn_harness.runtime.worker_pool import WorkerPool

Workers = Annotated[
    int,
    typer.Option(metavar="N", min=1, help="Processes that share the work; the result does not depend on their number."),
]
Backend = Annotated[str, typer.Option(metavar="NAME", help="Where they run: loky (this machine), dask or ray.")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="The cluster: tcp://host:port (dask), host:port or auto (ray).")
]


def worker_pool(workers: int, backend: str, scheduler: str | None) -> WorkerPool:
    """Return where the work is done.

    Args:
        workers: The number of processes.
        backend: Where they run, as typed.
        scheduler: The address of a cluster; None where none was named.

    Raises:
        UsageError: There is no such backend, or the address is of none, or is missing.
    """
    from rnn_harness.runtime.worker_pool import BACKENDS, SCHEDULERS, WorkerPool

    if backend not in BACKENDS:
        raise UsageError(f"there is no backend {backend!r}; there are {', '.join(BACKENDS)}")
    if scheduler is not None and backend == "loky":
        raise UsageError(f"--scheduler {scheduler} is of --backend dask or --backend ray: give one of them too")
    if scheduler is None and backend != "loky":
        raise UsageError(f"--backend {backend} needs --scheduler {SCHEDULERS[backend]}")
    return WorkerPool(workers, backend, scheduler)


def refuse_pool(workers: int, backend: str, reason: str) -> None:
    """Check that the work was not asked to be done by several processes.

    Args:
        workers: The number of processes that was asked for.
        backend: Where they were to run.
        reason: Why there is nothing to share, as a sentence without a capital.

    Raises:
        UsageError: It was.
    """
    if workers > 1 or backend != "loky":
        option = f"--workers {workers}" if workers > 1 else f"--backend {backend}"
        raise UsageError(f"{option}: {reason}")
