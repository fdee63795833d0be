"""The one door to code that is judged: the errors raised and the time spent behind it are that code's own.

Whatever calls a target calls it with `call_target`. An error that comes out of it is the target's, unless the harness
raised it in the code that converts arrays on the way; every other error is the harness's.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import ParamSpec, Protocol, TypeVar

from rnn_harness.errors import WrongShape

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_PACKAGE = __name__.partition(".")[0]
_JUDGED_MODULES = tuple(f"{_PACKAGE}.{name}" for name in ("references", "mutants", "kernels.drivers"))
"""Modules of this package that are judged themselves."""
_ADAPTERS = f"{_PACKAGE}.validation.loading.adapters"
"""The modules that convert arrays between the harness and a target of another library."""


USUAL_TARGET_TIMEOUT = 120.0
"""Seconds that the calls of a target may take between two messages where nobody says otherwise."""


class FloatSlots(Protocol):
    """A few numbers in memory, perhaps shared with another process."""

    def __getitem__(self, place: int, /) -> float: ...

    def __setitem__(self, place: int, value: float, /) -> None: ...


class TargetClock:
    """The time that this process spends in calls of a target, in memory that another process may read.

    Args:
        slots: `CLOCK_SLOTS` floats: when the running call began (0 if none runs), the CPU seconds of all calls that
            came back after it was loaded, whether the target is still being loaded, and whether it is being made.
        counts_cpu: Whether the CPU seconds are counted: each call asks the operating system for them twice.
    """

    def __init__(self, slots: FloatSlots, *, counts_cpu: bool = True) -> None:
        self._slots = slots
        self._counts_cpu = counts_cpu
        self._depth = 0
        self._cpu_seconds_before = 0.0

    def enter(self) -> None:
        """Begin a call; one inside of another does not count."""
        if self._depth == 0:
            if self._counts_cpu:
                self._cpu_seconds_before = time.process_time()
            self._slots[0] = time.monotonic()
        self._depth += 1

    def leave(self) -> None:
        """End a call."""
        self._depth -= 1
        if self._depth == 0:
            self._slots[0] = 0.0
            # How often it is called to see how it wants to be called is our own affair.
            if self._counts_cpu and not self.is_loading:
                # CPU seconds: a busy machine makes no target slow.
                self._slots[1] += time.process_time() - self._cpu_seconds_before

    @property
    def is_running(self) -> bool:
        """Whether a call is running."""
        return self._slots[0] > 0

    @property
    def running_since(self) -> float:
        """When the running call began, in seconds of the monotonic clock; 0 if none runs."""
        return self._slots[0]

    @property
    def finished_seconds(self) -> float:
        """The CPU seconds of all calls that came back, but for those of loading."""
        return self._slots[1]

    @property
    def is_loading(self) -> bool:
        """Whether the target is being loaded: imported, with all that it imports, and made for the first time."""
        return self._slots[2] > 0

    @property
    def is_called(self) -> bool:
        """Whether a call is running that is none of a constructor."""
        return self.is_running and not self.is_constructing

    @property
    def is_constructing(self) -> bool:
        """Whether a constructor of the target runs for the first time."""
        return self._slots[3] > 0

    @contextmanager
    def constructing(self) -> Iterator[None]:
        """Mark the time in which a constructor runs."""
        self._slots[3] = 1.0
        try:
            yield
        finally:
            self._slots[3] = 0.0

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Mark the time in which the target is loaded."""
        self._slots[2] = 1.0
        try:
            yield
        finally:
            self._slots[2] = 0.0


CLOCK_SLOTS = 4
_clock = TargetClock([0.0] * CLOCK_SLOTS, counts_cpu=False)  # nobody waits for this process with a limit


def install_clock(clock: TargetClock) -> None:
    """Let `call_target` of this process count with a clock from now on.

    Args:
        clock: It replaces the one before.
    """
    global _clock
    _clock = clock


def process_clock() -> TargetClock:
    """Return the clock with which `call_target` of this process counts."""
    return _clock


def call_target(
    function: Callable[Parameters, Result], *arguments: Parameters.args, **keywords: Parameters.kwargs
) -> Result:
    """Call code that is judged.

    Args:
        function: The target, or what runs it: its forward, or torch's backward through it.
        *arguments: What it is called with.
        **keywords: What it is called with by name.

    Returns:
        What it gives back.
    """
    clock = _clock
    clock.enter()
    try:
        return function(*arguments, **keywords)
    finally:
        clock.leave()


def construct_target(
    function: Callable[Parameters, Result], *arguments: Parameters.args, **keywords: Parameters.kwargs
) -> Result:
    """Call a constructor of a target while it is loaded: whoever watches allows it less time than an import.

    Args:
        function: The constructor.
        *arguments: What it is called with.
        **keywords: What it is called with by name.

    Returns:
        What it makes.
    """
    with _clock.constructing():
        return call_target(function, *arguments, **keywords)


def call_subject(
    function: Callable[Parameters, Result], *arguments: Parameters.args, **keywords: Parameters.kwargs
) -> Result:
    """Call a reference, or what drives a kernel: its errors are the subject's, as those of `call_target`.

    Its time is not counted: what drives a target calls it step by step with `call_target`, which counts.

    Args:
        function: What runs the subject.
        *arguments: What it is called with.
        **keywords: What it is called with by name.

    Returns:
        What it gives back.
    """
    return function(*arguments, **keywords)


_DOORS = (call_target.__code__, call_subject.__code__)


def is_raised_by_target(error: BaseException) -> bool:
    """Say whether an error was raised behind `call_target`, and not in the harness's conversion of arrays there.

    Args:
        error: An error with its traceback.
    """
    if isinstance(error, WrongShape):
        return True
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    doors = [place for place, frame in enumerate(frames) if frame.f_code in _DOORS]
    if not doors:
        return False
    behind = frames[doors[-1] + 1 :]
    if any(_is_of_harness(frame) and not _is_of_adapter(frame) for frame in behind):
        return False
    return not behind or not _is_of_harness(behind[-1])


def _module_name(frame: FrameType) -> str:
    """Name the module whose code a frame runs."""
    return str(frame.f_globals.get("__name__", ""))


def _is_of_harness(frame: FrameType) -> bool:
    """Say whether a frame runs code of this package that is not judged itself."""
    name = _module_name(frame)
    return f"{name}.".startswith(f"{_PACKAGE}.") and not name.startswith(_JUDGED_MODULES)


def _is_of_adapter(frame: FrameType) -> bool:
    """Say whether a frame runs code that converts arrays for a target of another library."""
    return _module_name(frame).startswith(_ADAPTERS)
