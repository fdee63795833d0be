"""``rnn-harness identify``: what a cell computes."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._conclusion import Conclusion, print_conclusion
from rnn_harness.cli._every_cell import refuse_options_for_one
from rnn_harness.cli._identify_every import identify_every
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
        float, typer.Option(min=0.1, max=1e7, callback=finite_number, help="Seconds after which it counts as hanging.")
    ] = 120,
    memory: Memory = 8,
    dtype: Annotated[
        str | None, typer.Option(help="Run it in this dtype alone: float64 or float32. [default: the widest it takes]")
    ] = None,
    device: Device = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a sentence.")] = False,
) -> None:
    """Say what a cell computes: family, variant, gate order, biases, layout, how it is called.

    One answer is unique, several cannot be told apart, none is unknown (exit code 3). Of a model each recurrent part is
    identified. A cell that equals a known one
    but for a mistake is reported with that mistake (exit code 1). Its code runs in a process of its own. Of a file, a
    folder or a module every cell is identified, and the exit code is the worst.
    """
    from rnn_harness.validation import Limits, ValidationRequest, read_options
    from rnn_harness.validation.identify_isolated import IdentificationReport, identify_isolated
    from rnn_harness.validation.list_isolated import is_collection, list_cells
    from rnn_harness.validation.request import DTYPES

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
        raise typer.Exit(identify_every(list_cells(request, Limits(timeout)), request, Limits(timeout), as_json))
    try:
        with progress_bar(1) as on_start:
            on_start(f"identifying {target}")
            report = identify_isolated(request, Limits(timeout), finds_fault=not as_json)
    except HarnessError:
        raise
    except NotRun as reason:
        typer.echo(f"rnn-harness: {target}: {reason}", err=True)
        report = IdentificationReport(())
    else:
        if report.fault:
            next_command = f"rnn-harness validate {target} --repro wrong.py"
            print_conclusion(Conclusion(f"{target} is wrong: {report.fault}", next_command), ExitCode.REFUTED)
            raise typer.Exit(ExitCode.REFUTED)
        if report.parts:
            _print_parts(target, report.parts, as_json)
            is_known = all(part.cells for part in report.parts)
            raise typer.Exit(ExitCode.AGREES if is_known else ExitCode.UNDECIDED)
        if not report.cells and not as_json:
            next_command = f"rnn-harness validate {target}  (says what holds for it, or --spec FILE: your equations)"
            conclusion = Conclusion(f"{target} is unknown: it equals no cell that is known", next_command)
            print_conclusion(conclusion, ExitCode.UNDECIDED)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(cell) for cell in report.cells], indent=1))
    elif report.cells:
        _print_cells(target, report.cells)
    if not report.cells:
        raise typer.Exit(ExitCode.UNDECIDED)
    if save_map is not None:
        write_text_file(save_map, report.map)


def _print_parts(target: str, parts: Sequence[IdentifiedPart], as_json: bool) -> None:
    """Print the recurrent parts of a model."""
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(part) for part in parts], indent=1))
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
