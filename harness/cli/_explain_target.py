"""The equations of a third-party cell, in the format that is asked for."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import typer

from rnn_harness.errors import ExitCode, HarnessError, NotRun

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
        UsageError: It cannot be loaded or driven.
        HarnessError: The harness itself raised an error.
        Exit: It is no cell that is known, or gave no answer.
    """
    from rnn_harness.comparison.explain_target import explain_target
    from rnn_harness.reports.text.explained_cell import explained_latex, explained_markdown, explained_text

    try:
        cell = explain_target(request, limits)
    except HarnessError:
        raise
    except NotRun as reason:
        typer.echo(f"rnn-harness: nothing is explained: {reason}", err=True)
        raise typer.Exit(ExitCode.UNDECIDED) from None
    match written_as:
        case EquationFormat.SPEC:
            return cell.spec_file
        case EquationFormat.MARKDOWN:
            return explained_markdown(cell)
        case EquationFormat.LATEX:
            return explained_latex(cell)
        case _:
            return explained_text(cell)
