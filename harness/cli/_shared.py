"""What all commands share: how errors end, how output is written. Nothing heavy is imported here."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import typer

from rnn_harness.cli._output import told
from rnn_harness.errors import ExitCode

if TYPE_CHECKING:
    from rnn_harness.specs import Spec

P = ParamSpec("P")
R = TypeVar("R")


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """A command that ends with a sentence, never with a traceback: exit code 2 on users' errors, 130 on Ctrl-C, and as
    `told` says where its output is not taken.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from rnn_harness.errors import UsageError
        from rnn_harness.specs import SpecError, UnknownId

        with told():
            try:
                return command(*args, **kwargs)
            except (UsageError, SpecError, UnknownId) as error:
                typer.echo(f"rnn-harness: {error}", err=True)
                raise typer.Exit(ExitCode.WRONG_USE) from None
            except KeyboardInterrupt:
                typer.echo("rnn-harness: interrupted", err=True)
                raise typer.Exit(ExitCode.INTERRUPTED) from None

    return run


class Interrupt:
    """Ctrl-C, remembered: an interrupt that some library swallows is raised again at the next `check`."""

    def __init__(self) -> None:
        self.wanted = False

    def __enter__(self) -> Interrupt:
        self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _handle(self, *_: object) -> None:
        self.wanted = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt if one was asked for."""
        if self.wanted:
            raise KeyboardInterrupt


def named(kind: str, names: Iterable[str]) -> None:
    """That no name is empty: as a part of every name it would mean all. Raises UsageError."""
    from rnn_harness.errors import UsageError

    if any(not name.strip() for name in names):
        raise UsageError(f"'' is no {kind}: leave it out to mean all of them")


def refuse_taken(extra: Sequence[Spec]) -> None:
    """Raises SpecError where the id of a spec, or of an equation, of one's own stands for another already."""
    from rnn_harness.specs import SpecError, library

    taken = {spec.id for spec in library().specs}
    seen: set[str] = set()
    for spec in extra:
        if spec.id in taken or spec.id in seen:
            raise SpecError(spec.path, None, f"spec id {spec.id} is taken; give yours another")
        seen.add(spec.id)
        for entry in spec.entries:
            if entry.id in library().entries:
                raise SpecError(spec.path, spec.lines.get(entry.id), f"equation id {entry.id} is taken")


def console(stderr: bool = False, width: int | None = None) -> Any:
    """A rich console for this terminal; wide when the output is no terminal, so that tables are not cut."""
    from rich.console import Console

    class Ours(Console):
        def on_broken_pipe(self) -> None:
            raise  # rich would leave with 1, which means refuted

    stream = sys.stderr if stderr else sys.stdout
    if width is None and not stream.isatty():
        width = 160
    return Ours(stderr=stderr, width=width, highlight=False)


def finite(value: float) -> float:
    """A number that a limit can be: a callback of options."""
    if value != value:
        raise typer.BadParameter(f"{value} is no number.")
    return value


def writable(*paths: Path | None) -> None:
    """That files can be written there, before the work whose result they take. Raises UsageError."""
    import os

    from rnn_harness.errors import UsageError

    for path in paths:
        if path is None:
            continue
        folder = path.parent
        if path.is_dir():
            raise UsageError(f"cannot write {path}: it is a folder; name a file in it")
        if not folder.is_dir():
            raise UsageError(f"cannot write {path}: there is no folder {folder}; make it first")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise UsageError(f"cannot write {path}: it may not be written there")


def readable(what: str, *paths: Path | None) -> None:
    """That files to be read are there. Raises UsageError."""
    from rnn_harness.errors import UsageError

    for path in paths:
        if path is not None and not path.is_file():
            raise UsageError(f"there is no {what} {path}")
