"""The last lines of a command: the verdict with its cause, and the command that goes on from there."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import typer

from rnn_harness.cli._verbosity import is_quiet
from rnn_harness.errors import ExitCode
from rnn_harness.printable import printable

_SIGNS = {
    ExitCode.AGREES: ("✓", typer.colors.GREEN),
    ExitCode.REFUTED: ("✗", typer.colors.RED),
    ExitCode.UNDECIDED: ("?", typer.colors.YELLOW),
}
_OTHER_SIGN = ("–", typer.colors.YELLOW)


@dataclass(frozen=True)
class Conclusion:
    """What a command ends with.

    Attributes:
        verdict: What came of it and, unless all is right, why: one sentence without a full stop.
        next_command: The command that goes on from there, with what it does after two spaces; empty for none.
    """

    verdict: str
    next_command: str = ""


def print_conclusion(conclusion: Conclusion, code: ExitCode) -> None:
    """Print the verdict with the sign of an exit code, then the next command unless ``--quiet`` was given.

    Args:
        conclusion: What the command ends with.
        code: How it ends.
    """
    sign, color = _SIGNS.get(code, _OTHER_SIGN)
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        sign = typer.style(sign, fg=color, bold=True)
    # Not by typer.echo: it takes a stream without our characters for a mistake, and writes UTF-8 into it.
    sys.stdout.write(f"{sign} {printable(conclusion.verdict)}\n")
    if conclusion.next_command and not is_quiet():
        sys.stdout.write(f"next: {printable(conclusion.next_command)}\n")
