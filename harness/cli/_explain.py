"""``rnn-harness explain``: what a check proves, what an id stands for, what belongs to a family."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnn_harness.cli._explain_name import explain_name
from rnn_harness.cli._shared import exit_codes
from rnn_harness.errors import UsageError


@exit_codes
def explain(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A check (backward.bound), a group of checks (metamorphic), an equation (E-348), spec "
            "(gru.keep.column), pair (Q-18), erratum (X-005), document (003), family (gru) or mutant.",
        ),
    ],
) -> None:
    """Explain a check: what it does, what an error is measured against, which mutants it must kill.

    Or explain what an id stands for, with the checks that decide it.
    """
    if names_target(name):
        raise UsageError(
            f"{name!r} names a file or a class, and explain takes a check, an id, a family or a mutant: "
            f"rnn-harness identify {name} says what it computes"
        )
    explain_name(name)


def names_target(name: str) -> bool:
    """Say whether a name is that of somebody's cell, and no name that the harness gives.

    Args:
        name: What was typed.
    """
    return ":" in name or "/" in name or Path(name).is_file()
