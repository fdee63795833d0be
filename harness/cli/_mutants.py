"""``rnn-harness mutants``: which check sees which fault."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnn_harness.cli._shared import console, guarded, named
from rnn_harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rnn_harness.mutants import Mutant, MutantResult


def fate_row(fate: MutantResult) -> dict[str, Any]:
    """What became of a mutant, for JSON."""
    kills = [
        {"check": k.check, "examples": k.examples, "seconds": round(k.seconds, 4), "detail": k.detail}
        for k in fate.kills
    ]
    counts = {"killed": fate.killed, "examples": fate.examples, "vacuous": fate.vacuous}
    return {**_mutant_row(fate.mutant), **counts, "kills": kills}


def _mutant_row(mutant: Mutant) -> dict[str, Any]:
    return {
        "mutant": mutant.name,
        "spec": mutant.spec,
        "part": mutant.part,
        "edit": mutant.edit,
        "published_bug": mutant.published_bug,
    }


@guarded
def mutants(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Parts of names (gru, peephole, batch); without any, all."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of the matrix.")] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Also show each edit and what its first killer said.")
    ] = False,
    listing: Annotated[
        bool, typer.Option("--list", help="Only list the mutants and their edits; judge nothing.")
    ] = False,
) -> None:
    """Judge references that are wrong on purpose, and print which check refutes which, how soon.

    Each mutant is one edit of a right reference. All must be killed, none by a case that could not have failed.
    Exit code 1 if one survives.
    """
    named("part of a mutant's name", names or [])
    from rnn_harness.mutants import MUTANTS, judge_mutants

    chosen = tuple(m for m in MUTANTS if not names or any(name.lower() in m.name.lower() for name in names))
    if not chosen:
        families = ", ".join(sorted({m.name.split(".")[0] for m in MUTANTS}))
        raise UsageError(
            f"no mutant's name contains {' or '.join(map(repr, names or []))}; there are families {families}"
        )
    if listing and as_json:
        typer.echo(json.dumps([_mutant_row(mutant) for mutant in chosen], indent=1))
        return
    if listing:
        for mutant in chosen:
            bug = f"  [{mutant.published_bug}]" if mutant.published_bug else ""
            typer.echo(f"{mutant.name} ({mutant.part}, {mutant.spec}){bug}\n    {mutant.edit}")
        return
    from rich.progress import track

    found = list(
        track(
            judge_mutants(chosen),
            "mutants",
            total=len(chosen),
            console=console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
    )
    if as_json:
        typer.echo(json.dumps([fate_row(fate) for fate in found], indent=1))
    else:
        from rnn_harness.reports.text.kill_matrix import print_kills

        print_kills(console(), found, verbose)
    if not all(fate.killed for fate in found):
        raise typer.Exit(ExitCode.REFUTED)
