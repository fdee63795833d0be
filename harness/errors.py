"""Errors a user can cause, and the exit codes of the command."""

from __future__ import annotations

import enum
import traceback

from rnn_harness.printable import printable


class ExitCode(enum.IntEnum):
    """What the command's exit status means."""

    AGREES = 0
    REFUTED = 1
    WRONG_USE = 2
    UNDECIDED = 3
    HARNESS_ERROR = 4
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


class WrongShape(ValueError):
    """What a target gave back has another shape than it must have; an adapter raises it, and the target is at fault."""


class HarnessError(NotRun):
    """The harness itself raised an error in a check, which says nothing about the subject.

    Attributes:
        traceback_text: the traceback of the error, for a report of it.

    Args:
        message: What the reason of a record says.
    """

    def __init__(self, message: str, traceback_text: str) -> None:
        super().__init__(message)
        self.traceback_text = traceback_text

    @classmethod
    def of(cls, error: BaseException) -> HarnessError:
        """Return what stands for an error that was raised in the harness.

        Args:
            error: What was raised, with its traceback; the type and first line become the message.
        """
        text = printable("".join(traceback.format_exception(error)))
        return cls(f"error of the harness itself: {named_error(error)}", text)


def _text_of(error: BaseException) -> str:
    """Return what an error says, printable; an error whose text raises an error itself says nothing."""
    try:
        return printable(str(error)).strip()
    except Exception:  # `__str__` of an error that a cell raised is code of the cell
        return ""


def named_error(error: BaseException) -> str:
    """Return the type of an error and the first line of what it says.

    Args:
        error: Any error; without a text, its type stands alone.
    """
    text, name = _text_of(error), printable(type(error).__name__)
    return f"{name}: {text.splitlines()[0]}" if text else name


def first_line(error: BaseException) -> str:
    """Return what an error says, on one line; its type where it says nothing, as a bare ``assert`` does.

    Args:
        error: Any error.
    """
    return (_text_of(error).splitlines() or [printable(type(error).__name__)])[0]
