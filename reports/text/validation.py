"""A validation for a terminal: what it is, whether it is right, what is wrong, how precise, and the counterexample."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rnn_harness.reports.summary import totals
from rnn_harness.reports.text.kernels import Judged, print_every

_GROUPS = {
    "forward": ("forward.", "precision.format"),
    "gradients": ("backward.",),
    "1,000 steps": ("precision.long",),
    "realistic sizes": ("scale.",),
    "metamorphic": ("metamorphic.",),
    "behaviour": ("behaviour.", "process.", "weights.", "expected-failure."),
}
_VERDICTS = {
    "agrees": "[bold green]✓ agrees[/]",
    "refuted": "[bold red]✗ refuted[/]",
    "undecided": "[bold yellow]? undecided[/]",
}
_SO_FAR = {
    "agrees": "[bold yellow]– not finished[/]; agrees so far",
    "refuted": "[bold red]✗ refuted[/]; not finished",
    "undecided": "[bold yellow]– not finished[/]; nothing is decided yet",
}
"""Where it was interrupted: what is refuted stays so."""
MOST_SHOWN = 6


def print_validation(console: Console, found: Any, verbose: bool, whole: bool = True) -> None:
    """`found`: a `Validation`. A few lines; `verbose`: every record too; not `whole`: it was interrupted."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for name, text in _lines(found, whole):
        grid.add_row(name, text)
    console.print(f"[bold]{escape(found.target)}[/]")
    console.print(grid)
    refuted = [record for record in found.checks if str(record.outcome) == "refuted" and not record.expected]
    if found.diagnosis is not None:  # it says that already
        refuted = [record for record in refuted if record.check != "identification.unique"]
    for record in refuted[:MOST_SHOWN]:
        where = f" in {record.dtype}" if record.dtype else ""
        console.print(f"  [red]✗[/] {escape(record.check)}{where}: {escape(record.reason[:300])}", soft_wrap=True)
    if len(refuted) > MOST_SHOWN:
        console.print(f"  and {len(refuted) - MOST_SHOWN} more; -v lists every record", style="dim")
    if verbose:
        print_every(console, found.checks)


def summary(found: Any) -> str:
    """The same few lines as plain text."""
    out = io.StringIO()
    print_validation(Console(file=out, width=100, color_system=None, highlight=False), found, verbose=False)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _lines(found: Any, whole: bool = True) -> Iterator[tuple[str, str]]:
    told = found.identification
    if told is not None and told.sentence:
        name = f"{told.spec}: " if told.spec not in ("", "candidate") else ""
        yield "is", escape(f"{name}{told.sentence}")
        for other in told.candidates[1:]:
            yield "or", escape(other)
    elif told is not None:
        yield "is", "unknown: it equals no cell that is known"
    if whole:
        yield "verdict", _VERDICTS[found.outcome] + (_against(found) if found.outcome == "agrees" else "")
    else:
        yield "verdict", _SO_FAR[found.outcome]
    if found.outcome == "undecided" and found.diagnosis is None:
        asked = ("process.ended", "identification.unique")
        open_ = [one for one in found.checks if one.check in asked and str(one.outcome) == "not run"]
        yield from (("because", escape(reason)) for reason in dict.fromkeys(one.reason for one in open_))
    if found.diagnosis is not None:
        yield "nearest", escape(found.diagnosis.spec)
        yield "at fault", escape(found.diagnosis.part)
        yield "difference", escape(found.diagnosis.difference)
    precision = "; ".join(_precision(found.checks))
    if precision:
        yield "precision", escape(precision)
    groups = "   ".join(_groups(found.checks))
    if groups:
        yield "checks", groups
    expected = [record for record in found.checks if record.expected]
    if expected:
        yield "expected", escape("; ".join(f"{record.check}: {record.expected}" for record in expected))
    shown = found.counterexample
    if shown is not None:
        sizes = ", ".join(f"{name} = {value}" for name, value in shown.sizes.items())
        text = f"{sizes}, {shown.nonzero} numbers that are not zero: {shown.place} is {shown.found!r}, "
        yield "smallest", escape(f"{text}the equations give {shown.expected!r} (--repro FILE writes a program)")


def _against(found: Any) -> str:
    """What it agrees with, and that it does so forward alone, where no gradient was decided."""
    shipped = found.spec not in ("", "candidate")
    spec = f" with {escape(found.spec)}" if shipped else " with the equations of what it is"
    decided = any(one.check.startswith("backward.") and str(one.outcome) == "agrees" for one in found.checks)
    return spec if decided else f"{spec}, forward; no gradient was decided"


def _precision(records: Iterable[Judged]) -> Iterator[str]:
    """Bits by dtype, and over a long sequence."""
    bits: dict[str, dict[str, float]] = {}
    for record in records:
        if record.check in ("precision.format", "precision.long") and record.bits is not None:
            bits.setdefault(record.dtype, {})[record.check] = min(record.bits, 99.0)
    for dtype, own in bits.items():
        short, long = own.get("precision.format"), own.get("precision.long")
        told = [] if short is None else [f"{short:.1f} bits"]
        told += [] if long is None else [f"{long:.1f} after 1,000 steps"]
        yield f"{dtype} {', '.join(told)}"


def _groups(records: Sequence[Judged]) -> Iterator[str]:
    for name, prefixes in _GROUPS.items():
        own = [record for record in records if record.check.startswith(prefixes) and record.dtype]
        counts = totals(own)
        decided = counts["agrees"] + counts["refuted"]
        if not own:
            continue
        mark = "[red]✗[/]" if counts["refuted"] else "[green]✓[/]" if decided else "–"
        left = counts["not run"] + counts["vacuous"]
        rest = f" [dim]({left} not run)[/]" if left else ""
        yield f"{name} {mark} {counts['agrees']}/{decided}{rest}"
