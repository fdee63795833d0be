"""Which files hold code that is judged: an error that such code raises unasked is its own, and none of the harness.

A class may define what Python calls by itself: how it is compared, hashed, copied or asked for its length. What raises
there ends a check without a call of the target, so it refutes nothing; and nobody has to report it to us.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from types import ModuleType

from rnn_harness.errors import HarnessError, NotRun, named_error

_files: set[str] = set()


def remember_target_code(module: ModuleType) -> None:
    """Note that a module was loaded because a target stands in it.

    Args:
        module: The module; one without a file is passed over.
    """
    if file := module.__dict__.get("__file__"):
        _files.add(str(file))


def failure_of(error: BaseException) -> HarnessError | NotRun:
    """Return what stands for an error that decides nothing, to be raised or written into a record.

    Args:
        error: What was raised outside of all calls of a target.

    Returns:
        `NotRun` with the place, where a line of the target's own file raised it; else a `HarnessError`.
    """
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    if not frames or frames[-1][0].co_filename not in _files:
        return HarnessError.of(error)
    code, line = frames[-1]
    return NotRun(f"its own code raises {named_error(error)} (in {code.co_name}, {Path(code.co_filename).name}:{line})")
