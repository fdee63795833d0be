"""The kill matrix for a terminal: a row per mutant, a column per group of checks, then a row per check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.text import Text

from rnn_harness.records.kill_matrix import Kill, MutantResult
from rnn_harness.reports.text.fit_table import Cell, Column, print_table

_COLUMNS_BY_CHECK = {
    "forward.equation": "eq",
    "forward.outputs": "out",
    "forward.sequence": "seq",
    "backward.screen": "screen",
    "backward.blocks": "blocks",
    "backward.entries": "entries",
    "backward.bound": "bound",
    "backward.quotient": "quot",
    "backward.autograd": "autogr",
}
"""The short names of the checks that have a column of their own."""
_LONGEST_DETAIL = 160


def print_kill_matrix(console: Console, results: Sequence[MutantResult], verbose: bool) -> None:
    """Print the matrix, the checks with their kills, and the total.

    A cell holds the number of cases until the check refuted the mutant; that of the metamorphic properties holds how
    many of them refuted it.

    Args:
        console: The terminal.
        results: The results, one for each mutant.
        verbose: Whether each edit is shown, with what its first killer said.
    """
    columns = (
        *(Column("mutant"), Column("part")),
        *(Column(name, right=True) for name in _COLUMNS_BY_CHECK.values()),
        *(Column("metamorphic", right=True), Column("ms", right=True)),
    )
    rows = [_matrix_row(result) for result in results]
    print_table(console, "Kill matrix: examples until the check refuted the mutant", columns, rows)
    for result in results if verbose else ():
        _print_edit(console, result)
    _print_checks(console, results)
    survivors = [result.mutant for result in results if not result.killed]
    if survivors:
        console.print(f"{len(survivors)} of {len(results)} mutants survived: {', '.join(survivors)}", style="bold red")
    else:
        vacuous = sum(result.vacuous for result in results)
        console.print(f"all {len(results)} mutants killed; {vacuous} vacuous cases were not used", style="bold green")


def _metamorphic_checks(result: MutantResult) -> list[str]:
    """Return the metamorphic properties that refuted a mutant."""
    return [kill.check for kill in result.kills if kill.check.startswith("metamorphic.")]


def _matrix_row(result: MutantResult) -> list[Cell]:
    """Return a mutant's row of the matrix."""
    examples = {kill.check: str(kill.examples) for kill in result.kills}
    fastest = min((kill.seconds for kill in result.kills), default=None)
    return [
        Text(result.mutant, style="" if result.killed else "bold red"),
        result.part,
        *(examples.get(check, "·") for check in _COLUMNS_BY_CHECK),
        str(len(_metamorphic_checks(result)) or "·"),
        "" if fastest is None else f"{1000 * fastest:.1f}",
    ]


def _print_edit(console: Console, result: MutantResult) -> None:
    """Print a mutant's edit, what its first killer said, and the metamorphic properties that refuted it."""
    detail = result.kills[0].detail if result.kills else "survived"
    console.print(Text(result.mutant), soft_wrap=True)
    console.print(Text(f"  {result.edit}\n  {detail[:_LONGEST_DETAIL]}", style="dim"), soft_wrap=True)
    metamorphic = _metamorphic_checks(result)
    if metamorphic:
        console.print(Text(f"  {', '.join(metamorphic)}", style="dim"), soft_wrap=True)


def _print_checks(console: Console, results: Sequence[MutantResult]) -> None:
    """Print a row per check, those with the most kills first."""
    kills: dict[str, list[Kill]] = {}
    for result in results:
        for kill in result.kills:
            kills.setdefault(kill.check, []).append(kill)
    only_killers = Counter(result.kills[0].check for result in results if len(result.kills) == 1)
    headings = ("kills", "alone", "median examples", "median ms")
    columns = (Column("check"), *(Column(name, right=True) for name in headings))
    rows = []
    for check, kills_of_check in sorted(kills.items(), key=lambda item: -len(item[1])):
        examples = f"{median(kill.examples for kill in kills_of_check):g}"
        milliseconds = f"{1000 * median(kill.seconds for kill in kills_of_check):.1f}"
        rows.append((check, str(len(kills_of_check)), str(only_killers[check]), examples, milliseconds))
    print_table(console, "Checks", columns, rows)
