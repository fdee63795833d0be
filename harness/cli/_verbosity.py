"""How much a command prints: with ``--quiet`` its last line, the verdict, and errors."""

from __future__ import annotations

from typing import Annotated

import typer

QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print only the last line, the verdict.")]

_is_quiet = False


def set_quiet(wanted: bool) -> None:
    """Remember whether ``--quiet`` was given.

    Args:
        wanted: Whether tables and progress are left out.
    """
    global _is_quiet
    _is_quiet = wanted


def is_quiet() -> bool:
    """Say whether tables and progress are left out."""
    return _is_quiet
