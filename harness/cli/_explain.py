"""``rnn-harness explain``: what a check proves, what an id stands for, what a third-party cell computes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnn_harness.cli._explain_name import explain_name
from rnn_harness.cli._explain_target import EquationFormat, equations_of_target
from rnn_harness.cli._shared import exit_codes_of_text
from rnn_harness.cli._target_options import Adapter, Init, Memory, Timeout
from rnn_harness.cli._text_file import write_text_file
from rnn_harness.cli.arguments import ensure_target_file, ensure_writable
from rnn_harness.errors import UsageError


@exit_codes_of_text
def explain(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A cell (my.py:Cell, torch.nn:GRU); a check (backward.bound), a group of checks (metamorphic), an "
            "equation (E-348), spec (gru.keep.column, mgu), pair of specs (Q-18), erratum (X-005), document (003), "
            "family (gru) or mutant.",
        ),
    ],
    written_as: Annotated[
        EquationFormat,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="How the equations of a cell are written: text, markdown, latex or spec (a file for `verify`).",
        ),
    ] = EquationFormat.TEXT,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the equations of a cell to this file.", dir_okay=False),
    ] = None,
    init: Init = None,
    adapter: Adapter = None,
    timeout: Timeout = 120,
    memory: Memory = 8,
) -> None:
    """Explain a cell, a check, or an id.

    Of a cell: its equations, and which of its parameters is which; its code runs in a process of its own. Of a check:
    what it does, what an error is measured against, which mutants it must kill. Of an id: what it stands for, with the
    checks that decide it.
    """
    are_equations_wanted = output is not None or written_as is not EquationFormat.TEXT
    if names_target(name) or names_cell_of_spec(name, are_equations_wanted):
        from rnn_harness.validation import Limits, ValidationRequest, read_options

        ensure_target_file(name)
        ensure_writable(output)
        request = ValidationRequest(name, read_options(init or []), adapter=adapter, memory=memory)
        text = equations_of_target(request, Limits(timeout), written_as)
        if output is None:
            typer.echo(text, nl=False)
        else:
            write_text_file(output, text)
        return
    if are_equations_wanted:
        option = f"--format {written_as}" if output is None else f"--output {output}"
        raise UsageError(
            f"{option} takes the equations of a cell (my.py:Cell, mgu), and {name} names none; leave it out"
        )
    explain_name(name)


def names_target(name: str) -> bool:
    """Say whether a name is that of a third-party cell, and no name that the harness gives.

    Args:
        name: What was typed.
    """
    return ":" in name or "/" in name or Path(name).is_file()


def names_cell_of_spec(name: str, are_equations_wanted: bool) -> bool:
    """Say whether a name is the id of a shipped spec whose equations are written as those of a third-party cell.

    Args:
        name: What was typed.
        are_equations_wanted: Whether a format or a file was named. Without, a spec of the documents is explained as an
            id, with the reference that computes it; a cell of the literature has none.
    """
    from rnn_harness.specs import library, literature

    is_of_documents = are_equations_wanted and any(spec.id == name for spec in library().cells)
    return is_of_documents or any(spec.id == name for spec in literature())
