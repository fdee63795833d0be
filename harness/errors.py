"""Errors a user can cause, and the exit codes of the command."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """What the command's exit status means."""

    AGREES = 0
    REFUTED = 1
    WRONG_USE = 2
    UNDECIDED = 3
    INTERRUPTED = 130
    CLOSED = 141


class UsageError(ValueError):
    """Something the user asked for cannot be done: the message says what was found and what to do."""


class NotRun(LookupError):
    """A check cannot be run on a subject, for the reason given; never a verdict about what it computes."""


class NotObservable(NotRun):
    """A check asked for something that the subject computes inside and does not show."""


class Refused(NotRun):
    """The subject does not take this, and says so itself."""


def first_line(error: BaseException) -> str:
    """Return what an error says, on one line; its type where it says nothing, as a bare ``assert`` does."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
