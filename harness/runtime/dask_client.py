"""The connection to a Dask cluster: its scheduler keeps jobs for which there is no worker, without a word."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import Any

SECONDS_TO_CONNECT = 10
SECONDS_BETWEEN_LOOKS = 10.0


def connect_to_dask(scheduler: str, seconds: float = SECONDS_BETWEEN_LOOKS) -> AbstractContextManager[Any]:
    """Connect to a cluster, and warn whenever it has no worker: its jobs wait until one comes.

    Args:
        scheduler: The address of its scheduler.
        seconds: How often the workers are counted.

    Returns:
        The client, which closes at the end of a ``with`` block.

    Raises:
        ImportError: Dask is not installed.
        OSError: No scheduler answers there.
        ValueError: It is no address.
    """
    return _watched(import_module("distributed").Client(scheduler, timeout=SECONDS_TO_CONNECT), scheduler, seconds)


@contextmanager
def _watched(client: Any, scheduler: str, seconds: float) -> Iterator[Any]:
    """Watch the workers of a client's cluster as long as it is used, and close it."""
    is_over = threading.Event()
    watch = threading.Thread(target=_watch, args=(client, scheduler, seconds, is_over), daemon=True)
    with client:
        watch.start()
        try:
            yield client
        finally:
            is_over.set()
            watch.join()


def _watch(client: Any, scheduler: str, seconds: float, is_over: threading.Event) -> None:
    """Warn whenever the cluster comes to have no worker, until nobody uses it any more."""
    had_workers = True
    while not is_over.is_set():
        has_workers = bool(client.scheduler_info()["workers"])
        if had_workers and not has_workers:
            hint = f"start one with `dask worker {scheduler}`"
            warnings.warn(f"the cluster at {scheduler} has no worker, and jobs wait for one: {hint}", stacklevel=1)
        had_workers = has_workers
        is_over.wait(seconds)
