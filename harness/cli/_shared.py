"""What all commands share: how errors end, how Ctrl-C ends, and the terminal. Nothing heavy is imported here."""

from __future__ import annotations

import functools
import inspect
import os
import signal
import sys
from collections.abc import Callable
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

import typer

from rnn_harness.cli._harness_error import DebugOption, report_harness_error, set_debug
from rnn_harness.cli._output import StrippedLines, output_errors
from rnn_harness.cli._verbosity import QuietOption, is_quiet, set_quiet
from rnn_harness.errors import ExitCode
from rnn_harness.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

R = TypeVar("R")
_FILE_WIDTH = 160
"""The columns of a table that goes into a file or to another program, where ``COLUMNS`` does not say how many."""


def exit_codes(command: Callable[..., R]) -> Callable[..., R]:
    """Make a command end with a sentence and an exit code, never with a traceback, and add options to it.

    The exit code is 2 on errors of the user, 130 on Ctrl-C, 4 on errors of the harness itself, 3 on errors that a
    target raises where it is not judged, and as `output_errors` says where the output is not taken.

    Args:
        command: The function of a command that ends with a verdict; its docstring is its help.

    Returns:
        The function with two more keyword arguments, ``quiet`` and ``debug``.
    """
    return _with_exit_codes(command, {"quiet": QuietOption, "debug": DebugOption})


def exit_codes_of_text(command: Callable[..., R]) -> Callable[..., R]:
    """Do what `exit_codes` does for a command that prints a text and no verdict.

    Args:
        command: The function of a command; its docstring is its help.

    Returns:
        The function with one more keyword argument, ``debug``.
    """
    return _with_exit_codes(command, {"debug": DebugOption})


def _with_exit_codes(command: Callable[..., R], shared_options: dict[str, object]) -> Callable[..., R]:
    """Make a command end with an exit code, and add options to it, each with its annotation."""

    @functools.wraps(command)
    def run(*arguments: Any, debug: bool = False, quiet: bool = False, **options: Any) -> R:
        from rnn_harness.errors import UsageError, named_error
        from rnn_harness.runtime.target_call import is_raised_by_target
        from rnn_harness.specs import SpecError, UnknownId

        set_debug(debug)
        set_quiet(quiet)
        try:
            with output_errors():
                try:
                    return command(*arguments, **options)
                except (UsageError, SpecError, UnknownId) as error:
                    typer.echo(f"rnn-harness: {printable(str(error))}", err=True)
                    raise typer.Exit(ExitCode.WRONG_USE) from None
                except KeyboardInterrupt:
                    typer.echo("rnn-harness: interrupted", err=True)
                    raise typer.Exit(ExitCode.INTERRUPTED) from None
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            if is_raised_by_target(error):
                typer.echo(f"rnn-harness: nothing is decided: the target raised {named_error(error)}", err=True)
                raise typer.Exit(ExitCode.UNDECIDED) from None
            report_harness_error(error)
            raise typer.Exit(ExitCode.HARNESS_ERROR) from None

    # typer reads the options off the signature and the annotations.
    signature = inspect.signature(command, eval_str=True)
    parameters = list(signature.parameters.values())
    for name, annotation in shared_options.items():
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation))
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, **shared_options}
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
        """Let an interrupt that was asked for take effect.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed since the block began.
        """
        if self._is_requested:
            raise KeyboardInterrupt


def console(stderr: bool = False) -> Console:
    """Return a console for this terminal, or for a file or another program.

    Where the output is no terminal it is plain text, as wide as ``COLUMNS`` says (else wide, so that tables are not
    cut), without colours unless ``FORCE_COLOR`` is set, and no line ends with blanks. With ``--quiet`` it prints
    nothing.

    Args:
        stderr: Whether it writes on standard error.
    """
    from rich.console import Console

    class PipeConsole(Console):
        """A console that leaves it to `output_errors` where nobody reads any more."""

        def on_broken_pipe(self) -> None:
            raise  # rich would leave with 1, which means refuted

    stream = sys.stderr if stderr else sys.stdout
    if stream.isatty():
        return PipeConsole(stderr=stderr, highlight=False, quiet=is_quiet())
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdigit() and int(columns) > 0 else _FILE_WIDTH
    lines = cast("IO[str]", StrippedLines(stream))
    return PipeConsole(file=lines, width=width, highlight=False, quiet=is_quiet())
