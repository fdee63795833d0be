"""The kill matrix for a terminal: a row per mutant, a column per group of checks, then a row per check."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Protocol

from rich.console import Console
from rich.text import Text

from rnn_harness.reports.text.fit_table import Cell, Column, print_table


class Kill(Protocol):
    """A check that refuted a mutant."""

    @property
    def check(self) -> str: ...
    @property
    def examples(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def detail(self) -> str: ...


class Mutant(Protocol):
    """A wrong reference."""

    @property
    def name(self) -> str: ...
    @property
    def part(self) -> str: ...
    @property
    def edit(self) -> str: ...


class MutantResult(Protocol):
    """What became of a mutant."""

    @property
    def mutant(self) -> Mutant: ...
    @property
    def kills(self) -> Sequence[Kill]: ...
    @property
    def vacuous(self) -> int: ...


_GROUPS: tuple[str, ...] = (
    "forward.equation",
    "forward.outputs",
    "forward.sequence",
    "backward.screen",
    "backward.blocks",
    "backward.entries",
    "backward.bound",
    "backward.quotient",
    "backward.autograd",
)
_SHORT = ("eq", "out", "seq", "screen", "blocks", "entries", "bound", "quot", "autogr")


def print_kills(console: Console, fates: Sequence[MutantResult], verbose: bool) -> None:
    """Print the matrix, the checks with their kills, and the total.

    A cell holds the examples to detection; of the metamorphic properties, how many refuted the mutant.
    """
    columns = (
        *(Column("mutant"), Column("part")),
        *(Column(name, right=True) for name in _SHORT),
        *(Column("metamorphic", right=True), Column("ms", right=True)),
    )
    rows: list[list[Cell]] = []
    for fate in fates:
        by_check = {kill.check: kill for kill in fate.kills}
        cells = [str(by_check[name].examples) if name in by_check else "·" for name in _GROUPS]
        metamorphic = [kill.check for kill in fate.kills if kill.check.startswith("metamorphic.")]
        fastest = min((kill.seconds for kill in fate.kills), default=None)
        label = Text(fate.mutant.name, style="" if fate.kills else "bold red")
        spent = "" if fastest is None else f"{1000 * fastest:.1f}"
        rows.append([label, fate.mutant.part, *cells, str(len(metamorphic) or "·"), spent])
    print_table(console, "Kill matrix: examples until the check refuted the mutant", columns, rows)
    for fate in fates if verbose else ():
        said = fate.kills[0].detail if fate.kills else "survived"
        console.print(Text(fate.mutant.name), soft_wrap=True)
        console.print(Text(f"  {fate.mutant.edit}\n  {said[:160]}", style="dim"), soft_wrap=True)
        metamorphic = [kill.check for kill in fate.kills if kill.check.startswith("metamorphic.")]
        if metamorphic:
            console.print(Text(f"  {', '.join(metamorphic)}", style="dim"), soft_wrap=True)
    _print_checks(console, fates)
    survivors = [fate.mutant.name for fate in fates if not fate.kills]
    if survivors:
        console.print(f"{len(survivors)} of {len(fates)} mutants survived: {', '.join(survivors)}", style="bold red")
    else:
        skipped = sum(fate.vacuous for fate in fates)
        console.print(f"all {len(fates)} mutants killed; {skipped} vacuous cases were not used", style="bold green")


def _print_checks(console: Console, fates: Sequence[MutantResult]) -> None:
    kills: dict[str, list[Kill]] = {}
    alone: dict[str, int] = {}
    for fate in fates:
        for kill in fate.kills:
            kills.setdefault(kill.check, []).append(kill)
        if len(fate.kills) == 1:
            alone[fate.kills[0].check] = alone.get(fate.kills[0].check, 0) + 1
    headings = ("kills", "alone", "median examples", "median ms")
    columns = (Column("check"), *(Column(name, right=True) for name in headings))
    rows = []
    for check, own in sorted(kills.items(), key=lambda item: -len(item[1])):
        examples = f"{median(kill.examples for kill in own):g}"
        spent = f"{1000 * median(kill.seconds for kill in own):.1f}"
        rows.append((check, str(len(own)), str(alone.get(check, 0)), examples, spent))
    print_table(console, "Checks", columns, rows)
