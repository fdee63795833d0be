"""NumPy code that puts one array into a list at every step, writing into it between: all are the last one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np

from rnn_harness.attributes import attribute


def appends_one_array(run: Callable[[], object], steps: int) -> bool:
    """Say whether a run fills a list or a dictionary with one array, whose numbers change while it grows.

    What puts an array that no longer changes into a list several times repeats it on purpose. The code is watched line
    by line, so that the numbers of the array are known at every length of the list.

    Args:
        run: Runs the code, over so many steps.
        steps: The number of steps.
    """
    watch, before = _GrowingLists(), sys.gettrace()
    sys.settrace(watch.called)
    try:
        run()
    finally:
        sys.settrace(before)
    return any(len(set(numbers.values())) >= steps - 1 for numbers in watch.numbers.values())


class _GrowingLists:
    """Notes the numbers of an array at every length of a list that holds nothing else.

    Attributes:
        numbers: By the list: by its length, the bytes of the array when the list had that length first.
    """

    def __init__(self) -> None:
        self.numbers: dict[int, dict[int, bytes]] = {}
        self._watched: list[object] = []  # a list that is no longer in use would give its number to another

    def called(self, frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any] | None:
        """Watch the lines of a function that is called, unless it is of a library."""
        home = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        return None if home in ("numpy", "torch", "rnn_harness", "contextlib") else self._line

    def _line(self, frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any]:
        """Look at the variables of a function before each of its lines, and when it returns."""
        for growing in _lists(frame.f_locals):
            entries = list(growing.values() if isinstance(growing, dict) else growing)
            first = entries[0] if entries else None
            if isinstance(first, np.ndarray) and all(entry is first for entry in entries):
                if id(growing) not in self.numbers:
                    self._watched.append(growing)
                self.numbers.setdefault(id(growing), {}).setdefault(len(entries), first.tobytes())
        return self._line


def _lists(variables: dict[str, object]) -> Iterator[list[Any] | dict[Any, Any]]:
    """Yield the lists and dictionaries among variables, and among the attributes of an object that is one of them."""
    for value in list(variables.values()):
        if isinstance(value, list | dict):
            yield value
        elif type(value).__module__ not in ("numpy", "builtins"):
            yield from (
                held for held in (attribute(value, "__dict__", dict) or {}).values() if isinstance(held, list | dict)
            )
