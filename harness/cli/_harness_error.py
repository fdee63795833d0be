"""Errors of the harness itself: a line that says so, an exit code of their own, and ``--debug`` for the traceback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.errors import HarnessError

if TYPE_CHECKING:
    from rnn_harness.records.record import Record

DebugOption = Annotated[bool, typer.Option("--debug", help="Print the traceback of an error of the harness itself.")]
_REPORT = "this says nothing about what was judged; please report it, with the command and what --debug prints"

_wants_traceback = False


def set_debug(wanted: bool) -> None:
    """Remember whether ``--debug`` was given.

    Args:
        wanted: Whether tracebacks of the harness are shown.
    """
    global _wants_traceback
    _wants_traceback = wanted


def report_harness_error(error: BaseException) -> None:
    """Write on standard error that the harness failed, and its traceback with ``--debug``.

    Args:
        error: The error that ended the command.
    """
    failure = error if isinstance(error, HarnessError) else HarnessError.of(error)
    if _wants_traceback:
        typer.echo(failure.traceback_text, err=True)
    typer.echo(f"rnn-harness: {failure}; {_REPORT}", err=True)


def report_failed_checks(records: Sequence[Record]) -> None:
    """Write on standard error in which checks the harness failed, and the tracebacks with ``--debug``.

    Args:
        records: All records of the run; without an error of the harness, nothing is written.
    """
    failed = [record for record in records if record.harness_error]
    if not failed:
        return
    if _wants_traceback:
        for text in dict.fromkeys(record.harness_error for record in failed):
            typer.echo(text, err=True)
    checks = ", ".join(dict.fromkeys(record.check for record in failed))
    typer.echo(f"rnn-harness: {failed[0].reason} (in {checks}); {_REPORT}", err=True)
