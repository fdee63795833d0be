"""A label and its text, as ``specs show`` and ``explain`` print them."""

from __future__ import annotations

import typer


def print_field(label: str, text: str) -> None:
    """Print a label, and a text whose further lines are indented.

    Args:
        label: At most ten characters; empty where the text belongs to the label above.
        text: What is printed; it is not broken.
    """
    lines = text.strip("\n").splitlines() or [""]
    typer.echo(f"{label:<10} {lines[0]}")
    for line in lines[1:]:
        typer.echo(f"{'':<10} {line}")
