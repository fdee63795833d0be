"""``rnn-harness validate``: whether a cell is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnn_harness.cli._every_cell import print_cells, refuse_options_for_one, run_of_every_cell
from rnn_harness.cli._json_output import JsonName, JsonOutput
from rnn_harness.cli._pool_options import refuse_pool
from rnn_harness.cli._recorded_run import finish
from rnn_harness.cli._shared import exit_codes
from rnn_harness.cli._target_options import Adapter, Device, Init, Memory, ParameterMap, SaveMap, Target, Timeout
from rnn_harness.cli._validation_outputs import ValidationOutputs
from rnn_harness.cli._validation_run import ValidationRun
from rnn_harness.cli.arguments import (
    ensure_readable,
    ensure_target_file,
    finite_number,
    known_device,
    known_dtypes,
    known_spec,
)
from rnn_harness.errors import ExitCode, UsageError


@exit_codes
def validate(
    target: Target,
    spec: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="What it must be: a shipped spec (lstm.column), a spec file of your own (mine.toml), or auto: what "
            "it is identified as.",
        ),
    ] = "auto",
    init: Init = None,
    adapter: Adapter = None,
    parameter_map: ParameterMap = None,
    save_map: SaveMap = None,
    dtype: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DTYPE",
            help="Judge it in float64, float32, bfloat16 or float16; may be repeated.",
            show_default="float64, float32",
        ),
    ] = None,
    device: Device = "cpu",
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Try it with these weights, too (.safetensors, or a state_dict).", dir_okay=False
        ),
    ] = None,
    expect: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Failures that are accepted: a TOML file of tables [[expected]], each with check = and reason =.",
            show_default="cell.expected.toml beside cell.py",
            dir_okay=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the random cases.")] = 0,
    examples: Annotated[
        int,
        typer.Option(metavar="N", min=0, max=10_000, help="Number of random cases, besides nine fixed ones."),
    ] = 5,
    records: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every record as JSON Lines, as soon as it is there.", dir_okay=False),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Replace this cell's records in the file of --records; those of other cells stay there."
        ),
    ] = False,
    timeout: Timeout = 120,
    total: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.1, max=1e7, callback=finite_number, help="Seconds for everything."),
    ] = 3600,
    memory: Memory = 8,
    confine: Annotated[
        bool,
        typer.Option(
            "--confine", help="Take the network and all writing to files from the cell's process; on Linux alone."
        ),
    ] = False,
    json_name: JsonName = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the checks as JUnit XML.", dir_okay=False)
    ] = None,
    sarif: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what is wrong as SARIF, with the line of the class.", dir_okay=False),
    ] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Print what is wrong as annotations of GitHub, at the line of the class.")
    ] = False,
    repro: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the smallest counterexample as a program.", dir_okay=False),
    ] = None,
    every_cell: Annotated[
        bool, typer.Option("--all", help="Judge every cell of a file, a folder or a module; a table comes last.")
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="With --all: cells judged at the same time, each in processes of its own."
        ),
    ] = 1,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Also list every record.")] = False,
) -> None:
    """Validate a cell: what it computes, whether its forward and every gradient are right, how precise it is.

    It is identified first, then compared with the equations of that spec. Its code runs in a process of its own: a
    hang, a crash, or too much memory is recorded, and the rest goes on.

    Of a file, a folder or a module the cells are listed; with --all, each is judged.
    """
    from rnn_harness.validation import Limits, ValidationRequest, read_options
    from rnn_harness.validation.judging.expected_failures import expectations_file, load_expected
    from rnn_harness.validation.list_isolated import is_collection, list_cells
    from rnn_harness.validation.request import DTYPES

    if replace and records is None:
        raise UsageError("--replace replaces records of a file: name it with --records FILE")
    ensure_target_file(target)
    if spec.endswith(".toml"):
        ensure_readable("a spec (TOML)", Path(spec))
    if spec != "auto" and not spec.endswith(".toml"):
        known_spec(spec)
    ensure_readable("weights", weights)
    ensure_readable("a parameter map", parameter_map)
    document = JsonOutput.of(json_name)
    outputs = ValidationOutputs(save_map, document.file, document.is_printed, junit, repro, sarif, github)
    outputs.ensure_writable()
    known_failures = expect or (None if is_collection(target) else expectations_file(target))
    request = ValidationRequest(
        target,
        read_options(init or []),
        spec=spec,
        seed=seed,
        examples=examples,
        adapter=adapter,
        map=parameter_map,
        weights=weights,
        expected=load_expected(known_failures) if known_failures is not None else (),
        dtypes=known_dtypes(dtype) or DTYPES,
        memory=memory,
        device=known_device(device),
        typed_options=tuple(init or ()),
        is_confined=confine,
    )
    limits = Limits(timeout, total)
    run = ValidationRun(request, limits, outputs, examples)
    if every_cell or is_collection(target):
        for_one = {"--map": parameter_map, "--save-map": save_map, "--weights": weights, "--repro": repro}
        refuse_options_for_one({**for_one, "--expect": expect}, target)
        cells = list_cells(request, limits)
        if not every_cell:
            print_cells(cells)
            typer.echo(f"rnn-harness: {target} names no cell: give one of these, or --all to judge each", err=True)
            raise typer.Exit(ExitCode.WRONG_USE)
        finish(run_of_every_cell(run, cells, workers), records, replace, JsonOutput(), verbose)
    refuse_pool(workers, "loky", f"{target} is one cell; --all judges every cell of a file, a folder or a module")
    finish(run, records, replace, JsonOutput(), verbose)
