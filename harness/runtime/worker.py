"""Work in a process of its own, watched: what it sends comes out as events, and so does how it ended."""

from __future__ import annotations

import math
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

Event = tuple[str, Any]
"""What a worker sent; or ``("done", None)``; or ``("ended", reason)`` if it was silent for too long, or died."""
Send = Callable[[str, Any], None]
LATE = "was not done in the time it had"
"""How it ended where the time for everything was up."""
SILENT = "gave no answer for"
"""How it ended where one thing took too long; the seconds follow."""


def run_in_worker(
    task: Callable[[Send, Any], None], order: Any, timeout: float, end: float = math.inf
) -> Iterator[Event]:
    """Run `task(send, order)` in a spawned process and give what it sends.

    `task` is a function of a module and `order` can be pickled. `timeout`: seconds of silence before it is ended;
    `end`: when it is ended in any case, on the monotonic clock.
    """
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    worker = context.Process(target=_live, args=(theirs, task, order), daemon=True)
    worker.start()
    theirs.close()
    try:
        while True:
            try:
                left = end - time.monotonic()
                if not mine.poll(max(0.0, min(timeout, left))):
                    late = left <= timeout
                    yield "ended", LATE if late else f"{SILENT} {timeout:g} s"
                    return
                event: Event = mine.recv()
            except (EOFError, OSError):
                worker.join(10)
                yield "ended", _ending(worker.exitcode)
                return
            yield event
            if event[0] == "done":
                return
    finally:
        worker.kill()
        worker.join(10)
        mine.close()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with exit code {code}"


def _live(connection: Connection, task: Callable[[Send, Any], None], order: Any) -> None:
    """The worker's life; Ctrl-C is the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    task(lambda kind, value: connection.send((kind, value)), order)
    connection.send(("done", None))
    connection.close()
