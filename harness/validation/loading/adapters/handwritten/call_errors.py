"""What went wrong in the ways that were tried, so that a message can name the way that went furthest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from rnn_harness.errors import first_line
from rnn_harness.validation.cells.callable_facts import code_of


class Stage(IntEnum):
    """How far a way of calling went."""

    FORWARD_RAISED = 0
    FORWARD_RESULT_UNFIT = 1
    BACKWARD_RAISED = 2
    BACKWARD_RESULT_UNFIT = 3


@dataclass(frozen=True)
class Failure:
    """A way that failed.

    Attributes:
        stage: How far it went.
        line: How many lines of the function it went, where that raised.
        way: What was called how, in words.
        reason: What came back, or what it raised.
    """

    stage: Stage
    line: int
    way: str
    reason: str

    def __str__(self) -> str:
        return f"{self.way}: {self.reason}"


@dataclass
class FailureLog:
    """The failures of a search.

    Attributes:
        failures: In the order in which they happened.
    """

    failures: list[Failure] = field(default_factory=list)

    def add(self, stage: Stage, way: str, reason: str, line: int = 0) -> None:
        """Note a failure.

        Args:
            stage: How far it came.
            way: The call in words.
            reason: What was raised, or what did not fit.
            line: The line inside the function, counted from its first, where it was raised; 0 if it was not entered.
        """
        self.failures.append(Failure(stage, line, way, reason))

    def add_error(self, stage: Stage, way: str, error: BaseException, function: Callable[..., Any] | None) -> None:
        """Note an exception.

        Args:
            stage: How far it went.
            way: What was called how, in words.
            error: What it raised.
            function: What was called.
        """
        self.add(stage, way, f"{type(error).__name__}: {first_line(error)}"[:200], lines_run(error, function))

    def furthest(self) -> Failure | None:
        """Return the failure that went furthest; the first of those that went equally far."""
        return max(self.failures, key=lambda failure: (failure.stage, failure.line), default=None)


def lines_run(error: BaseException, function: Callable[..., Any] | None) -> int:
    """Count how many lines into a function an exception was raised; 0 if it was not entered.

    Args:
        error: The exception, with its traceback.
        function: The function; None, or one without Python code, gives 0.
    """
    code = code_of(function)
    trace = error.__traceback__
    while trace is not None:
        if code is not None and trace.tb_frame.f_code is code:
            return trace.tb_lineno - int(code.co_firstlineno)
        trace = trace.tb_next
    return 0
