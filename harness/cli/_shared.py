"""What all commands share: how errors end, how Ctrl-C ends, and the terminal. Nothing heavy is imported here."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import typer

from rnn_harness.cli._output import output_errors
from rnn_harness.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

P = ParamSpec("P")
R = TypeVar("R")
_FILE_WIDTH = 160
"""The columns of a table that goes into a file or to another program."""


def exit_codes(command: Callable[P, R]) -> Callable[P, R]:
    """Make a command end with a sentence and an exit code, never with a traceback.

    The exit code is 2 on errors of the user, 130 on Ctrl-C, and as `output_errors` says where the output is not taken.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from rnn_harness.errors import UsageError
        from rnn_harness.specs import SpecError, UnknownId

        with output_errors():
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
        self._is_requested = False

    def __enter__(self) -> Interrupt:
        self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _handle(self, *_: object) -> None:
        self._is_requested = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt if one was asked for."""
        if self._is_requested:
            raise KeyboardInterrupt


def console(stderr: bool = False) -> Console:
    """Return a console for this terminal; it is wide where the output is no terminal, so that tables are not cut."""
    from rich.console import Console

    class PipeConsole(Console):
        """A console that leaves it to `output_errors` where nobody reads any more."""

        def on_broken_pipe(self) -> None:
            raise  # rich would leave with 1, which means refuted

    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return PipeConsole(stderr=stderr, width=None if is_terminal else _FILE_WIDTH, highlight=False)
