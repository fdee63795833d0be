"""Errors of a target's own code, raised where an adapter calls it: they are told as its, and not as the harness's."""

from __future__ import annotations

import inspect
from pathlib import Path
from traceback import walk_tb
from typing import Any


def own_place(error: BaseException, cell: Any) -> str:
    """Return where in its own file a target raised an error, as ``initialize_carry, cells.py:35``.

    Args:
        error: What was raised.
        cell: The target, or its class.

    Returns:
        The innermost place; empty where the error passed through no line of the target's file.
    """
    try:
        file = Path(inspect.getfile(cell if inspect.isclass(cell) or inspect.isroutine(cell) else type(cell)))
    except (TypeError, OSError):  # what is made in an interactive session has no file
        return ""
    places = [
        (frame.f_code.co_name, line)
        for frame, line in walk_tb(error.__traceback__)
        if Path(frame.f_code.co_filename) == file
    ]
    return f"{places[-1][0]}, {file.name}:{places[-1][1]}" if places else ""
