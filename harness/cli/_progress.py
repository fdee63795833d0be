"""Signs of life on standard error: a bar on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

import typer

from rnn_harness.cli._shared import console
from rnn_harness.cli._verbosity import is_quiet
from rnn_harness.printable import printable

SECONDS_BETWEEN_LINES = 10.0
"""How long a command may say nothing where its errors go into a file or to another program."""
_LONGEST_TITLE = 48


@contextlib.contextmanager
def progress_bar(size: int) -> Iterator[Callable[[str], None]]:
    """Lend a function that is called with the title of each of `size` parts before it is done.

    Args:
        size: The number of parts.

    Yields:
        A function of the title of the part that begins.
    """
    if is_quiet():
        yield lambda _: None
    elif sys.stderr.isatty():
        with _drawn_bar(size) as on_start:
            yield on_start
    else:
        with progress_lines(size) as on_start:
            yield on_start


@contextlib.contextmanager
def _drawn_bar(size: int) -> Iterator[Callable[[str], None]]:
    """Draw a bar on a terminal; it is gone in the end."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=size)
        is_first = True

        def on_start(title: str) -> None:
            nonlocal is_first
            bar.update(task, description=title[:_LONGEST_TITLE], advance=0 if is_first else 1)
            is_first = False

        yield on_start


@contextlib.contextmanager
def progress_beside_bar(size: int) -> Iterator[Callable[[str], None]]:
    """Lend `progress_bar`'s function for work that draws a bar of its own on a terminal.

    Args:
        size: The number of parts.

    Yields:
        A function of the title of the part that begins; it writes lines unless a terminal shows the bar.
    """
    if is_quiet() or sys.stderr.isatty():
        yield lambda _: None
    else:
        with progress_lines(size) as on_start:
            yield on_start


@contextlib.contextmanager
def progress_lines(size: int) -> Iterator[Callable[[str], None]]:
    """Write a line every ten seconds: how long it has taken, which part is being done.

    Args:
        size: The number of parts; 1 or less where there are no parts to count.

    Yields:
        A function of the title of the part that begins.
    """
    start, is_over = time.monotonic(), threading.Event()
    titles: list[str] = []

    def write_lines() -> None:
        while not is_over.wait(SECONDS_BETWEEN_LINES):
            part = f", part {len(titles)} of {max(size, len(titles))}" if size > 1 and titles else ""
            title = f": {printable(titles[-1]) if titles else 'loading'}"
            with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
                typer.echo(f"rnn-harness: {time.monotonic() - start:.0f} s{part}{title}", err=True)

    thread = threading.Thread(target=write_lines, daemon=True)
    thread.start()
    try:
        yield titles.append
    finally:
        is_over.set()
        thread.join()
