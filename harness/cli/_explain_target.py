"""The equations of a third-party cell, in the format that is asked for."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import typer

from rnn_harness.errors import ExitCode, HarnessError, NotRun, UsageError

if TYPE_CHECKING:
    from rnn_harness.validation import Limits, ValidationRequest


class EquationFormat(enum.StrEnum):
    """How equations are written.

    Attributes:
        TEXT: LaTeX line by line, with the parameters, for a terminal.
        MARKDOWN: With formulas between dollars.
        LATEX: One ``align`` environment.
        SPEC: A spec file, which ``rnn-harness verify`` takes.
    """

    TEXT = "text"
    MARKDOWN = "markdown"
    LATEX = "latex"
    SPEC = "spec"


def equations_of_target(request: ValidationRequest, limits: Limits, written_as: EquationFormat) -> str:
    """Find out what a target computes, and write its equations.

    Args:
        request: Names the target.
        limits: How long it may take.
        written_as: The format.

    Raises:
        UsageError: It cannot be loaded or driven, or is a model whose layers are no single spec.
        HarnessError: The harness itself raised an error.
        Exit: It is no cell that is known, or gave no answer.
    """
    from rnn_harness.comparison.explain_target import explain_target
    from rnn_harness.reports.text.explained_cell import explained_latex, explained_markdown, explained_text

    try:
        cells = explain_target(request, limits)
    except HarnessError:
        raise
    except NotRun as reason:
        typer.echo(f"rnn-harness: nothing is explained: {reason}", err=True)
        raise typer.Exit(ExitCode.UNDECIDED) from None
    if written_as is EquationFormat.SPEC and len(cells) > 1:
        layers = ", ".join(cell.target.removesuffix(f" of {request.target}") for cell in cells)
        raise UsageError(
            f"--format spec writes the equations of one cell, and {request.target} has {len(cells)} kinds of recurrent "
            f"layers ({layers}): name one of their classes, or leave --format out"
        )
    match written_as:
        case EquationFormat.SPEC:
            texts = [cell.spec_file for cell in cells]
        case EquationFormat.MARKDOWN:
            texts = [explained_markdown(cell) for cell in cells]
        case EquationFormat.LATEX:
            texts = [explained_latex(cell) for cell in cells]
        case _:
            texts = [explained_text(cell) for cell in cells]
    return "\n".join(texts)
