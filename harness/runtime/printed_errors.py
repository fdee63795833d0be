"""What a worker prints on standard error comes through a pipe, so that no terminal obeys it and no log overflows."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext

from rnn_harness.printable import printable

MOST_LETTERS = 2**20
"""Letters of one worker that are printed; what it prints after them is read and dropped."""
_CHUNK_BYTES = 2**16
_SECONDS_TO_DRAIN = 1.0
"""How long the rest is waited for: a process that was left behind may hold the pipe."""


class PrintedErrors:
    """Prints on standard error what a worker prints there, its control characters as escapes.

    Args:
        context: What starts the worker.

    Attributes:
        writer: The end of the pipe for the worker; None on Windows, where it prints for itself.
    """

    def __init__(self, context: SpawnContext) -> None:
        self.writer: Connection | None = None
        self._thread: threading.Thread | None = None
        if sys.platform != "win32":
            self._reader, self.writer = context.Pipe(duplex=False)

    def start(self) -> None:
        """Begin to print, once the worker has its end of the pipe."""
        if self.writer is not None:
            self.writer.close()
            self._thread = threading.Thread(target=self._pass_on, daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Wait until everything is printed that a worker which is gone has left in the pipe."""
        if self._thread is not None:
            self._thread.join(_SECONDS_TO_DRAIN)

    def _pass_on(self) -> None:
        """Print until nobody holds the other end."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        remaining = MOST_LETTERS
        with self._reader as reader, contextlib.suppress(OSError):
            while chunk := os.read(reader.fileno(), _CHUNK_BYTES):
                text = decoder.decode(chunk)
                if remaining:
                    _print(text[:remaining])
                    if len(text) >= remaining:
                        _print(f"\nrnn-harness: more than {MOST_LETTERS} letters; the rest is left out\n")
                    remaining = max(0, remaining - len(text))


def _print(text: str) -> None:
    """Print a text of others; a bar that goes back to the beginning of its line begins a new one."""
    with contextlib.suppress(OSError, ValueError):  # nobody reads it
        sys.stderr.write(printable(text.replace("\r\n", "\n").replace("\r", "\n")))
        sys.stderr.flush()


def print_errors_to(writer: Connection | None) -> None:
    """Let this process, a worker, print its errors into a pipe, from Python and from below.

    Args:
        writer: The end of the pipe; None to leave standard error as it is.
    """
    if writer is not None:
        os.dup2(writer.fileno(), 2)
        writer.close()
