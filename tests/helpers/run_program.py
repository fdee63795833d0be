"""A program that shows a counterexample, run in this process."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest


def run_until_its_assertion(program: Path) -> None:
    """Run a program, as a process of its own would, and require that it ends by an AssertionError.

    What it puts on the module search path, and the modules of this project's tests that it loads, are taken back.

    Args:
        program: The file.
    """
    path, modules = [*sys.path], {*sys.modules}
    try:
        with pytest.raises(AssertionError):
            runpy.run_path(str(program), run_name="__main__")
    finally:
        sys.path[:] = path
        for name in {*sys.modules} - modules:
            if not name.startswith(("torch", "numpy")):
                del sys.modules[name]
