"""``identify`` of a file, a folder or a module: what each of its cells computes."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import typer

from rnn_harness.cli._every_cell import print_what_is_no_cell
from rnn_harness.cli._json_output import JsonOutput
from rnn_harness.errors import ExitCode, HarnessError, NotRun, UsageError, first_line

if TYPE_CHECKING:
    from rnn_harness.validation.list_isolated import CellList, ListedCandidate
    from rnn_harness.validation.request import Limits, ValidationRequest


def identify_every(cells: CellList, request: ValidationRequest, limits: Limits, document: JsonOutput) -> ExitCode:
    """Identify every cell of a place, and print what each is.

    Args:
        cells: What there is.
        request: Its options, adapter and memory count for each.
        limits: How long each may take.
        document: Where one JSON document goes: by target what it equals.

    Returns:
        The worst of the exit codes: refuted, an error of the harness, unknown, identified.
    """
    codes: set[ExitCode] = set()
    rows: dict[str, list[dict[str, object]]] = {}
    for candidate in cells.recurrent:
        if candidate.kind == "cell":
            codes.add(_identify_one(dataclasses.replace(request, target=candidate.target), limits, rows, document))
        else:
            codes.add(ExitCode.UNDECIDED)
            _print_unidentified(candidate, document)
    document.write(json.dumps(rows, indent=1))
    if not document.is_printed:
        print_what_is_no_cell(cells)
    worst_first = (ExitCode.REFUTED, ExitCode.HARNESS_ERROR, ExitCode.UNDECIDED, ExitCode.AGREES)
    return next((code for code in worst_first if code in codes), ExitCode.UNDECIDED)


def _identify_one(
    request: ValidationRequest, limits: Limits, rows: dict[str, list[dict[str, object]]], document: JsonOutput
) -> ExitCode:
    """Identify one cell, and print what it is unless that is collected for a document."""
    from rnn_harness.validation.identify_isolated import identify_isolated

    try:
        report = identify_isolated(request, limits)
    except HarnessError as error:
        text, code = f"harness error: {first_line(error)}", ExitCode.HARNESS_ERROR
    except (NotRun, UsageError) as error:
        text, code = f"unknown: {first_line(error)}", ExitCode.UNDECIDED
    else:
        rows[request.target] = [dataclasses.asdict(cell) for cell in report.cells]
        if report.parts:
            rows[request.target] = [dataclasses.asdict(part) for part in report.parts]
            text = "a model: " + "; ".join(part.sentence() for part in report.parts)
            code = ExitCode.AGREES if all(part.cells for part in report.parts) else ExitCode.UNDECIDED
        elif report.fault:
            text, code = f"wrong: {report.fault}", ExitCode.REFUTED
        elif not report.cells:
            text, code = "unknown: it equals no cell that is known", ExitCode.UNDECIDED
        else:
            text = " or ".join(f"{cell.spec or 'no shipped spec'}: {cell.sentence}" for cell in report.cells)
            code = ExitCode.AGREES
    if not document.is_printed:
        typer.echo(f"{request.target}: {text}")
    return code


def _print_unidentified(candidate: ListedCandidate, document: JsonOutput) -> None:
    """Print what is no single cell, unless the document is printed."""
    if not document.is_printed:
        typer.echo(f"{candidate.target}: {candidate.kind}: {candidate.sentence}")
