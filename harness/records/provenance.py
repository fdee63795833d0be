"""Where a record comes from: the versions of what may change an outcome."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("rnn-harness", "numpy", "torch", "sympy", "python-flint", "hypothesis")


@cache
def versions() -> str:
    """Return the versions that may change an outcome, on one line: ``python 3.11.7, x86_64, numpy 2.1.0, ...``."""
    return ", ".join((f"python {platform.python_version()}", platform.machine(), *map(package_version, _PACKAGES)))


def package_version(name: str) -> str:
    """Return a distribution's name and version, or that it is absent.

    Args:
        name: The distribution's name.
    """
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} absent"
