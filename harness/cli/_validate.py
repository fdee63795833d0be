"""``rnn-harness validate`` and ``rnn-harness identify``: somebody's cell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._job import Job, finish
from rnn_harness.cli._shared import console, guarded
from rnn_harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rnn_harness.records import Record

_Target = Annotated[
    str,
    typer.Argument(metavar="TARGET", help="package.module:Name or path/file.py:Name, a torch module or its class."),
]
_Init = Annotated[
    list[str] | None,
    typer.Option("--init", help="key=value that the constructor needs besides the sizes; may be repeated."),
]


def _known_first(known: dict[str, Record], made: Iterator[Record]) -> Iterator[Record]:
    """What is recorded already is not recorded again."""
    for record in made:
        yield known.get(record.key, record)


@guarded
def identify(
    target: _Target,
    init: _Init = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a sentence.")] = False,
) -> None:
    """Say what a cell computes: family, variant, gate order, biases, layout, how it is called.

    One answer is unique, several cannot be told apart, none is unknown (exit code 3). A cell that equals a known wrong
    one is told its fault (exit code 1).
    """
    from rnn_harness.candidates import identify as find
    from rnn_harness.candidates import load, read_options

    matches = find(load(target, read_options(init or [])))
    if as_json:
        rows = [{"spec": m.spec, "sentence": m.sentence(), "gates": m.reading.order, "fault": m.fault} for m in matches]
        typer.echo(json.dumps(rows, indent=1))
    elif not matches:
        typer.echo(f"{target}: unknown. It equals no cell that is known, and none of them with a known fault.")
    else:
        typer.echo(f"{target}: " + ("" if len(matches) == 1 else f"{len(matches)} answers that cannot be told apart"))
        for match in matches:
            typer.echo(f"  {match.spec or 'no shipped spec'}: {match.sentence()}")
    if not matches:
        raise typer.Exit(ExitCode.UNDECIDED)
    raise typer.Exit(ExitCode.REFUTED if matches[0].fault else ExitCode.AGREES)


@guarded
def validate(
    target: _Target,
    spec: Annotated[
        str, typer.Option(help="The spec it must be, a spec file of your own (mine.toml), or auto.")
    ] = "auto",
    init: _Init = None,
    seed: Annotated[int, typer.Option(min=0, help="Where the random cases start.")] = 0,
    examples: Annotated[
        int, typer.Option(min=0, max=10_000, help="Cases that Hypothesis draws, after nine fixed.")
    ] = 5,
    records: Annotated[
        Path | None, typer.Option(help="Write every record to this file as JSON Lines, as it comes.", dir_okay=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the file given by --records.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds without an answer before it counts as hanging.")
    ] = 120,
    memory: Annotated[float, typer.Option(min=0.5, help="Gigabytes that the target's process may take.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Also list every record.")] = False,
) -> None:
    """Validate somebody's cell: what is it, are forward and every gradient right, how precise, where does it break?

    It is identified first, then held against the equations of that spec. Its code runs in a process of its own: a hang,
    a crash, or too much memory is recorded, and the rest goes on.
    """
    from rnn_harness.candidates import Order, isolated, read_options
    from rnn_harness.specs import library

    if resume and records is None:
        raise UsageError("--resume goes on with a file of records: name it with --records FILE")
    if spec != "auto" and not spec.endswith(".toml") and spec not in {one.id for one in library().specs}:
        near = library().nearest(spec)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(f"there is no spec {spec!r}{hint} (rnn-harness specs lists all)")
    order = Order(target, read_options(init or []), spec, seed, examples, memory=memory)

    def show(found: list[Record], verbose: bool) -> None:
        from rnn_harness.reports.kernels import print_kernels

        first = next((record for record in found if record.check == "candidate.identified"), None)
        if first is not None and str(first.outcome) == "agrees":
            typer.echo(f"{target} is {first.entry}: {first.reason}")
        elif first is not None and str(first.outcome) == "not run":
            typer.echo(f"{target}: {first.reason}")
        print_kernels(console(), found, verbose)

    finish(
        Job(lambda known, start: _known_first(known, isolated(order, timeout, start)), show, 3),
        records,
        resume,
        as_json,
        verbose,
    )
