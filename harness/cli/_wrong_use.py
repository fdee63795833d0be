"""What typer finds wrong in a command line, in the voice of all other errors: what was given, what to type."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, Protocol, cast

import typer
from typer.core import TyperGroup

from rnn_harness.cli._command_help import COMMANDS
from rnn_harness.errors import ExitCode
from rnn_harness.printable import printable

_WRONG_COMMAND_LINE: type[Exception] = next(
    base for base in typer.BadParameter.__mro__ if issubclass(base, Exception) and base.__name__ == "UsageError"
)
"""The base of typer's errors of this kind, which it does not name itself."""


class _Context(Protocol):
    command_path: str


class _Parameter(Protocol):
    opts: Sequence[str]


class _WrongCommandLine(Protocol):
    """What typer knows of a wrong command line.

    Attributes:
        ctx: Of which command it is; None where that is not known.
    """

    ctx: _Context | None

    def format_message(self) -> str:
        """Say what is wrong."""


class Commands(TyperGroup):
    """The group of all commands, whose errors show the value that was typed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """List the commands in the order of the help.

        Args:
            ctx: The command line, as typer knows it.
        """
        return sorted(super().list_commands(ctx), key=list(COMMANDS).index)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; a wrong command line is told in a sentence.

        Args:
            args: What was typed; the arguments of the process where None.
            prog_name: How the command is called.
            complete_var: See typer.
            standalone_mode: Whether the process ends with it.
            windows_expand_args: See typer.
            **extra: See typer.
        """
        typed = _each_with_its_option(sys.argv[1:] if args is None else args)
        is_told_here = standalone_mode and bool(typed)
        try:
            result = super().main(
                typed, prog_name, complete_var, standalone_mode and not is_told_here, windows_expand_args, **extra
            )
        except _WRONG_COMMAND_LINE as error:
            if not is_told_here:
                raise
            _end(cast("_WrongCommandLine", error), typed)
        if is_told_here:
            sys.exit(result if isinstance(result, int) else ExitCode.AGREES)
        return result


class SpecCommands(TyperGroup):
    """The commands below ``specs``, where a word that is none of them is likely to be what somebody looks for."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that was typed.

        Args:
            ctx: The command line, as typer knows it.
            args: What was typed behind ``specs``.
        """
        word = args[0]
        if word not in self.commands and not difflib.get_close_matches(word, self.commands, 1):
            shown, searched = f"rnn-harness specs show {word}", f"rnn-harness specs literature {word}"
            ctx.fail(
                f"{word!r} is no command of specs; type `{shown}` for an id, `{searched}` to search cells of papers"
            )
        return super().resolve_command(ctx, args)


def _each_with_its_option(words: Sequence[str]) -> list[str]:
    """Take ``--init a=1 b=2`` as ``--init a=1 --init b=2``: a NAME=VALUE behind one of them can be nothing else."""
    typed: list[str] = []
    for word in words:
        is_argument = re.match(r"[A-Za-z_]\w*=", word) is not None
        if is_argument and typed[-2:-1] in (["--init"], ["--init-b"]):
            typed.append(typed[-2])
        typed.append(word)
    return typed


def _end(error: _WrongCommandLine, typed: Sequence[str]) -> NoReturn:
    """Say what is wrong with a command line, and leave."""
    message = error.format_message().strip().rstrip(".")
    parameter = cast("_Parameter | None", vars(error).get("param"))
    value = _typed_value(parameter.opts, typed) if parameter is not None else ""
    shown = f"; given was {value!r}" if value and repr(value) not in message else ""
    path = error.ctx.command_path if error.ctx is not None else "rnn-harness"
    typer.echo(f"rnn-harness: {printable(message)}{shown} ({path} --help lists what it takes)", err=True)
    raise SystemExit(ExitCode.WRONG_USE)


def _typed_value(names: Sequence[str], typed: Sequence[str]) -> str:
    """Return what was typed for an option; empty where it cannot be told."""
    for place, word in enumerate(typed):
        if word in names:
            return typed[place + 1] if place + 1 < len(typed) else ""
        for name in names:
            if word.startswith(f"{name}="):
                return word.removeprefix(f"{name}=")
    return ""
