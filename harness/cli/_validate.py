"""``rnn-harness validate`` and ``rnn-harness identify``: somebody's cell."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._job import Job, finish
from rnn_harness.cli._shared import console, finite, guarded, known_spec, readable, writable
from rnn_harness.errors import ExitCode, NotRun, UsageError

if TYPE_CHECKING:
    from rnn_harness.records.record import Record
    from rnn_harness.validation import Validation

_Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="package.module:Name, path/file.py:Name or model.onnx: a module of torch, Keras, flax or equinox, an "
        "object with NumPy arrays, its class, a function that makes one, or a function of one step.",
    ),
]
_Init = Annotated[
    list[str] | None,
    typer.Option("--init", help="key=value that the constructor (or the adapter) needs; may be repeated."),
]
_Adapter = Annotated[str | None, typer.Option(help="Drive it with this adapter instead of the one that claims it.")]
_Map = Annotated[Path | None, typer.Option("--map", help="A parameter map that --save-map wrote.", dir_okay=False)]
_SaveMap = Annotated[Path | None, typer.Option(help="Write the parameter map that was found.", dir_okay=False)]


_Timeout = Annotated[
    float,
    typer.Option(min=0.1, max=1e7, callback=finite, help="Seconds for one case, after which it counts as hanging."),
]
_Memory = Annotated[
    float,
    typer.Option(
        min=2, max=1e6, callback=finite, help="Gigabytes that the target's process may take; torch alone takes one."
    ),
]


@guarded
def identify(
    target: _Target,
    init: _Init = None,
    adapter: _Adapter = None,
    save_map: _SaveMap = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=1e7, callback=finite, help="Seconds after which it counts as hanging.")
    ] = 120,
    memory: _Memory = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a sentence.")] = False,
) -> None:
    """Say what a cell computes: family, variant, gate order, biases, layout, how it is called.

    One answer is unique, several cannot be told apart, none is unknown (exit code 3). A cell that equals a known one
    but for a mistake is told it (exit code 1). Its code runs in a process of its own.
    """
    from rnn_harness.validation import Limits, ValidationRequest, read_options
    from rnn_harness.validation.identify_isolated import IdentificationReport, identify_isolated

    writable(save_map)
    request = ValidationRequest(target, read_options(init or []), adapter=adapter, memory=memory)
    try:
        report = identify_isolated(request, Limits(timeout), not as_json)
    except NotRun as reason:
        typer.echo(f"rnn-harness: {target}: {reason}", err=True)
        report = IdentificationReport(())
    else:
        if report.fault:
            typer.echo(f"{target}: wrong\n  {report.fault}")
            raise typer.Exit(ExitCode.REFUTED)
        if not report.cells and not as_json:
            typer.echo(
                f"{target}: unknown. It equals no cell that is known; rnn-harness validate says what it is nearest to."
            )
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(cell) for cell in report.cells], indent=1))
    elif report.cells:
        several = "" if len(report.cells) == 1 else f"{len(report.cells)} answers that cannot be told apart"
        typer.echo(f"{target}: {several}")
        for cell in report.cells:
            typer.echo(f"  {cell.spec or 'no shipped spec'}: {cell.sentence}")
    if not report.cells:
        raise typer.Exit(ExitCode.UNDECIDED)
    if save_map is not None:
        _put(save_map, report.map)


@guarded
def validate(
    target: _Target,
    spec: Annotated[
        str, typer.Option(help="The spec it must be, a spec file of your own (mine.toml), or auto.")
    ] = "auto",
    init: _Init = None,
    adapter: _Adapter = None,
    parameter_map: _Map = None,
    save_map: _SaveMap = None,
    weights: Annotated[
        Path | None, typer.Option(help="Try it with these weights too (.safetensors, or a state_dict).", dir_okay=False)
    ] = None,
    expect: Annotated[
        Path | None,
        typer.Option(help="Known failures (TOML); default: cell.expected.toml beside cell.py.", dir_okay=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Where the random cases start.")] = 0,
    examples: Annotated[
        int, typer.Option(min=0, max=10_000, help="Cases that Hypothesis draws, after nine fixed.")
    ] = 5,
    records: Annotated[
        Path | None, typer.Option(help="Write every record to this file as JSON Lines, as it comes.", dir_okay=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the file given by --records.")] = False,
    timeout: _Timeout = 120,
    total: Annotated[float, typer.Option(min=0.1, max=1e7, callback=finite, help="Seconds for everything.")] = 3600,
    memory: _Memory = 8,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the whole result as JSON; - for the terminal.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the checks as JUnit XML.", dir_okay=False)] = None,
    repro: Annotated[
        Path | None, typer.Option(help="Write the smallest counterexample as a program.", dir_okay=False)
    ] = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Also list every record.")] = False,
) -> None:
    """Validate somebody's cell: what is it, are forward and every gradient right, how precise, where does it break?

    It is identified first, then held against the equations of that spec. Its code runs in a process of its own: a hang,
    a crash, or too much memory is recorded, and the rest goes on.
    """
    from rnn_harness.validation import (
        Conclusions,
        Limits,
        Listener,
        RecordMade,
        ValidationRequest,
        build_validation,
        read_options,
        run_validation_isolated,
    )
    from rnn_harness.validation.judging.expected_failures import expectations_file, load_expected

    if resume and records is None:
        raise UsageError("--resume goes on with a file of records: name it with --records FILE")
    if spec != "auto" and not spec.endswith(".toml"):
        known_spec(spec)
    readable("file of weights", weights)
    readable("map", parameter_map)
    writable(save_map, None if json_file in (None, "-") else Path(str(json_file)), junit, repro)
    known_failures = expect or expectations_file(target)
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
        memory=memory,
        typed_options=tuple(init or ()),
    )
    conclusions = Conclusions()

    def run(known: dict[str, Record], start: Callable[[str], None]) -> Iterator[Record]:
        listener = Listener(lambda phase: start(phase.title))
        resumed = dataclasses.replace(request, known=dict(known))
        for event in run_validation_isolated(resumed, Limits(timeout, total), listener):
            if isinstance(event, RecordMade):
                yield known.get(event.record.key) or event.record
            else:
                conclusions.add(event)

    def show(decided: list[Record], verbose: bool, finished: bool) -> None:
        validation = build_validation(target, decided, conclusions)
        if json_file != "-":
            from rnn_harness.reports.text.validation import print_validation

            print_validation(console(), validation, verbose, finished)
        if not finished and validation.outcome == "agrees":
            validation = validation.model_copy(update={"outcome": "undecided"})
        _write(validation, save_map, json_file, junit, repro)

    finish(Job(run, show, 3, _code, examples), records, resume, False, verbose)


def _code(found: list[Record]) -> ExitCode:
    from rnn_harness.validation import outcome_of

    codes = {"agrees": ExitCode.AGREES, "refuted": ExitCode.REFUTED}
    return codes.get(outcome_of(found), ExitCode.UNDECIDED)


def _write(
    made: Validation, save_map: Path | None, json_file: str | None, junit: Path | None, repro: Path | None
) -> None:
    """Every file that is wanted. Raises UsageError for one that cannot be written, after the others."""
    trouble: list[str] = []

    def put(path: Path, text: str) -> None:
        try:
            _put(path, text)
        except UsageError as error:
            trouble.append(str(error))

    if save_map is not None and made.identification is not None and made.identification.map is not None:
        put(save_map, made.identification.map.model_dump_json(indent=1) + "\n")
    if json_file == "-":
        typer.echo(json.dumps(made.model_dump(mode="json"), indent=1))  # ASCII: a terminal may have no more
    elif json_file is not None:
        put(Path(json_file), made.model_dump_json(indent=1) + "\n")
    if junit is not None:
        from rnn_harness.reports.junit import write_junit

        try:
            write_junit(junit, {made.target: made.checks})
        except OSError as error:
            trouble.append(f"cannot write {junit}: {error.strerror}")
    if repro is not None:
        if made.counterexample is not None:
            put(repro, made.counterexample.program)
        else:
            typer.echo(f"rnn-harness: nothing to write to {repro}: there is no counterexample in numbers", err=True)
    if trouble:
        raise UsageError("; ".join(trouble))


def _put(path: Path, text: str) -> None:
    """Raises UsageError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
