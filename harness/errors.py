"""Errors a user can cause, and the exit codes of the command."""

from __future__ import annotations

import enum
import errno
import re
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
    """A check cannot be run on a subject, for the reason given; never a verdict about what it computes.

    Attributes:
        traceback_text: the traceback of an error of the harness itself, for a report of it; empty for other reasons.
    """

    traceback_text = ""


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
        whole = "".join(traceback.format_exception(error))
        is_long = len(whole) > 2 * LONGEST_TEXT
        text = printable(f"{whole[:LONGEST_TEXT]}\n...\n{whole[-LONGEST_TEXT:]}" if is_long else whole)
        return cls(f"error of the harness itself: {named_error(error)}", text)


LONGEST_TEXT = 10_000
"""Letters of an error's text, and of each end of a traceback, that are read: a target's error may hold millions."""


def _text_of(error: BaseException) -> str:
    """Return what an error says, printable; an error whose text raises an error itself says nothing."""
    try:
        return printable(str(error)[:LONGEST_TEXT]).strip()
    except BaseException:  # `__str__` of an error that a cell raised is code of the cell
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


_RESOURCES = {
    errno.EMFILE: "open files",
    errno.ENFILE: "open files",
    errno.ENOMEM: "memory",
    errno.EAGAIN: "processes and threads",
    errno.ENOSPC: "room on the disk",
}


_OF_TORCHS_MEMORY = re.compile(r"bad_alloc|can't allocate memory|not enough memory|out of memory", re.I)
"""What torch says, in a RuntimeError, where it gets no memory."""


def missing_resource(error: BaseException) -> str:
    """Name what a process could not get from the system any more, where that is the reason of an error.

    A target may limit what its process gets, or use it up; whatever needs it next raises the error.

    Args:
        error: What was raised; the errors that it was raised from count as well.

    Returns:
        ``memory``, ``open files``, ``processes and threads`` or ``room on the disk``; empty for every other reason.
    """
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, MemoryError):
            return "memory"
        if isinstance(cause, OSError) and cause.errno in _RESOURCES:
            return _RESOURCES[cause.errno]
        if isinstance(cause, RuntimeError) and "can't start new thread" in _text_of(cause):
            return "processes and threads"
        if isinstance(cause, RuntimeError) and _OF_TORCHS_MEMORY.search(_text_of(cause)):
            return "memory"
        cause = cause.__cause__ or cause.__context__
    return ""
