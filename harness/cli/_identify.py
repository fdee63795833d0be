"""``rnn-harness identify``: what a cell computes."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._conclusion import Conclusion, print_conclusion
from rnn_harness.cli._every_cell import refuse_options_for_one
from rnn_harness.cli._identify_every import identify_every
from rnn_harness.cli._json_output import JsonName, JsonOutput
from rnn_harness.cli._progress import progress_bar
from rnn_harness.cli._shared import exit_codes
from rnn_harness.cli._target_options import Adapter, Device, Init, Memory, SaveMap, Target
from rnn_harness.cli._text_file import write_text_file
from rnn_harness.cli._verbosity import is_quiet
from rnn_harness.cli.arguments import (
    ensure_target_file,
    ensure_writable,
    finite_number,
    known_device,
    known_dtypes,
)
from rnn_harness.errors import ExitCode, HarnessError, NotRun, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnn_harness.validation.identify_isolated import IdentifiedCell, IdentifiedPart


@exit_codes
def identify(
    target: Target,
    init: Init = None,
    adapter: Adapter = None,
    save_map: SaveMap = None,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0.1,
            max=1e7,
            callback=finite_number,
            help="Seconds for one cell; one that needs longer counts as hanging.",
        ),
    ] = 120,
    memory: Memory = 8,
    dtype: Annotated[
        str | None,
        typer.Option(
            metavar="DTYPE",
            help="Run it in this dtype alone: float64 or float32.",
            show_default="the widest it takes",
        ),
    ] = None,
    device: Device = "cpu",
    json_name: JsonName = None,
) -> None:
    """Say what a cell computes: family, variant, gate order, biases, layout, how it is called.

    Where several cells fit that no run can tell apart, all are listed. A cell that equals a known one but for a mistake
    is reported with that mistake. Of a model each recurrent part is identified; of a file, a folder or a module every
    cell. The code of a cell runs in a process of its own.
    """
    from rnn_harness.validation import Limits, ValidationRequest, read_options
    from rnn_harness.validation.identify_isolated import IdentificationReport, identify_isolated
    from rnn_harness.validation.list_isolated import is_collection, list_cells
    from rnn_harness.validation.request import DTYPES

    document = JsonOutput.of(json_name)
    ensure_writable(save_map)
    ensure_target_file(target)
    dtypes = DTYPES if dtype is None else known_dtypes([dtype])
    if dtype is not None and dtype not in DTYPES:
        raise UsageError(
            f"--dtype {dtype}: a cell is identified in {' or '.join(DTYPES)}; validate judges it in {dtype}"
        )
    request = ValidationRequest(
        target,
        read_options(init or []),
        adapter=adapter,
        memory=memory,
        dtypes=dtypes,
        device=known_device(device),
    )
    if is_collection(target):
        refuse_options_for_one({"--save-map": save_map}, target)
        raise typer.Exit(identify_every(list_cells(request, Limits(timeout)), request, Limits(timeout), document))
    try:
        with progress_bar(1) as on_start:
            on_start(f"identifying {target}")
            report = identify_isolated(request, Limits(timeout))
    except HarnessError:
        raise
    except NotRun as reason:
        typer.echo(f"rnn-harness: {target}: {reason}", err=True)
        report = IdentificationReport(())
    else:
        if report.fault:
            next_command = f"rnn-harness validate {target} --repro wrong.py"
            document.write("[]")
            if document.is_printed:
                typer.echo(f"rnn-harness: {target} is wrong: {report.fault}", err=True)
            else:
                print_conclusion(Conclusion(f"{target} is wrong: {report.fault}", next_command), ExitCode.REFUTED)
            raise typer.Exit(ExitCode.REFUTED)
        if report.parts:
            _print_parts(target, report.parts, document)
            is_known = all(part.cells for part in report.parts)
            raise typer.Exit(ExitCode.AGREES if is_known else ExitCode.UNDECIDED)
        if not report.cells and not document.is_printed:
            next_command = f"rnn-harness validate {target}  (says what holds for it, or --spec FILE: your equations)"
            conclusion = Conclusion(f"{target} is unknown: it equals no cell that is known", next_command)
            print_conclusion(conclusion, ExitCode.UNDECIDED)
    document.write(json.dumps([dataclasses.asdict(cell) for cell in report.cells], indent=1))
    if report.cells and not document.is_printed:
        _print_cells(target, report.cells)
    if not report.cells:
        raise typer.Exit(ExitCode.UNDECIDED)
    if save_map is not None:
        write_text_file(save_map, report.map)


def _print_parts(target: str, parts: Sequence[IdentifiedPart], document: JsonOutput) -> None:
    """Print the recurrent parts of a model."""
    document.write(json.dumps([dataclasses.asdict(part) for part in parts], indent=1))
    if document.is_printed:
        return
    is_known = all(part.cells for part in parts)
    for part in parts if not is_quiet() else ():
        typer.echo(f"  {part.sentence()}")
    count = "one recurrent part" if len(parts) == 1 else f"{len(parts)} recurrent parts"
    unknown = "" if is_known else f", of which {', '.join(p.name for p in parts if not p.cells)} equals no known cell"
    next_command = f"rnn-harness validate {target}  (whether they and the wiring between them are right)"
    code = ExitCode.AGREES if is_known else ExitCode.UNDECIDED
    print_conclusion(Conclusion(f"{target} is a model with {count}{unknown}", next_command), code)


def _print_cells(target: str, cells: Sequence[IdentifiedCell]) -> None:
    """Print every cell that a target equals."""
    if len(cells) > 1 and not is_quiet():
        for cell in cells:
            typer.echo(f"  {cell.spec or 'no shipped spec'}: {cell.sentence}")
    first = f"{cells[0].spec or 'no shipped spec'}: {cells[0].sentence}"
    verdict = first if len(cells) == 1 else f"one of {len(cells)} cells that cannot be told apart"
    next_command = f"rnn-harness validate {target}  (whether its numbers and gradients are right)"
    print_conclusion(Conclusion(f"{target} is {verdict}", next_command), ExitCode.AGREES)
