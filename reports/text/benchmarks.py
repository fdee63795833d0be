"""Measurements for a terminal: parameters, decay of gradients, speed, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from rnn_harness.reports.text.fit_table import Cell, Column, print_table

_LAGS = (1, 10, 100)


def _columns(left: Sequence[str], right: Sequence[str]) -> list[Column]:
    """Texts, the first of them a name and the others folded, and numbers."""
    texts = [Column(name, least=20 if i else None) for i, name in enumerate(left)]
    return [*texts, *(Column(name, right=True) for name in right)]


def _red(text: str) -> Text:
    return Text(text, style="red")


def print_bench(console: Console, found: Sequence[Any]) -> None:
    """`found`: `Measurement`s. A table for each kind that is among them."""
    _parameters(console, [one for one in found if one.kind == "parameters"])
    _decay(console, [one for one in found if one.kind == "decay"])
    _learning(console, [one for one in found if one.kind == "learning"])
    _speed(console, [one for one in found if one.kind == "speed"])


def _parameters(console: Console, rows: Sequence[Any]) -> None:
    if not rows:
        return
    table = []
    for one in rows:
        against = Text.assemble("" if one.agrees else ("✗ ", "red"), one.reason.removeprefix("held against "))
        table.append((one.subject, one.text, against, f"{one.middle:.0f}"))
    columns = (Column("what", least=24), *_columns(("", "closed form", "held against"), ("count",))[1:])
    print_table(console, "Parameters (of cells at n = 3, d = 4, k = 2)", columns, table)


def _decay(console: Console, rows: Sequence[Any]) -> None:
    if not rows:
        return
    broken = [one for one in rows if one.what == "failed"]
    for one in broken:
        console.print(f"[red]failed[/]: {escape(one.subject)}: {escape(one.reason)}")
    rows = [one for one in rows if one.what != "failed"]
    if not rows:
        return
    steps = rows[0].sizes
    title = f"Decay of gradients: |d h_T / d s_T-k|, d = {steps['d']}, T = {steps['T']}"
    lags = [f"k = {lag}" for lag in _LAGS]
    columns = (
        *(Column("cell"), Column("initialisation")),
        *(Column(name, right=True, least=99, cut=True) for name in lags),  # left out first
        *(Column(name, right=True) for name in ("per step [95 %]", "half-life", "float32 sees", "Lyapunov")),
    )
    table: list[list[Cell]] = []
    for one in rows:
        if one.agrees is False:
            console.print(f"[red]not right[/]: {escape(one.subject)}, {escape(one.what)}: {escape(one.reason)}")
            continue
        norms = [f"{10 ** one.extra[f'log10 at {lag}']:.1e}" if f"log10 at {lag}" in one.extra else "" for lag in _LAGS]
        rate = f"{one.middle:.3f} [{one.low:.3f}, {one.high:.3f}]"
        half = f"{one.extra['half-life']:.1f}" if "half-life" in one.extra else "–"
        horizon = f"{one.extra['float32 horizon']:.0f} steps" if "float32 horizon" in one.extra else "no end"
        table.append([one.subject, one.what, *norms, rate, half, horizon, f"{one.extra['Lyapunov exponent']:+.3f}"])
    print_table(console, title, columns, table)


def _learning(console: Console, rows: Sequence[Any]) -> None:
    """One table a task."""
    for task in dict.fromkeys((one.what, one.sizes["T"]) for one in rows):
        own = [one for one in rows if (one.what, one.sizes["T"]) == task]
        first = own[0]
        title = f"Learning: {first.text}, T = {task[1]}, {first.sizes['steps']} steps of 64 sequences; chance "
        right = ("parameters", "loss [seeds]", "solved", "after steps", "seconds", "rate before", "after")
        table = []
        for one in own:
            told = one.extra
            loss = f"{one.middle:.4f} [{min(one.samples):.4f}, {max(one.samples):.4f}]"
            solved = f"{told['seeds solved']:.0f} of {told['seeds']:.0f}"
            steps = f"{told['steps until solved']:.0f}" if "steps until solved" in told else "–"
            rates = [f"{told[name]:.3f}" if name in told else "" for name in ("rate before", "rate after")]
            numbers = (f"{told['parameters']:.0f}", loss, solved, steps, f"{told['seconds']:.1f}", *rates)
            table.append((one.subject, *numbers))
        print_table(console, f"{title}{first.extra['chance']:.4f}", _columns(("who",), right), table)


def _speed(console: Console, rows: Sequence[Any]) -> None:
    """One table a place of the grid; what is not right has no time."""
    places: dict[tuple[Any, ...], list[Any]] = {}
    for one in rows:
        where = one.dtype if one.device == "cpu" else f"{one.dtype} on {one.device}"
        places.setdefault((one.spec, tuple(one.sizes.items()), where), []).append(one)
    for (spec, sizes, dtype), own in places.items():
        told = ", ".join(f"{name} = {value}" for name, value in sizes)
        columns = _columns(("who",), ("forward", "backward", "both", "of roofline", "memory"))
        table: list[list[Cell]] = []
        for subject in dict.fromkeys(one.subject for one in own):
            mine = {one.what: one for one in own if one.subject == subject}
            wrong = next((one for one in mine.values() if one.agrees is False), None)
            if wrong is not None:
                table.append([subject, "–", "–", "–", "", "", _red(f"not right: {wrong.reason}")])
                continue
            times = [_time(mine.get(what)) for what in ("forward", "backward", "both")]
            last = mine.get("both") or mine["forward"]
            memory = f"{last.extra['peak memory, MB']:.1f} MB" if "peak memory, MB" in last.extra else ""
            share = f"{100 * last.extra['share of roofline']:.0f} %"
            table.append([subject, *times, share, memory, last.ran[:60]])
        title = f"Speed of {spec}, {told}, {dtype}"
        print_table(console, title, (*columns, Column("what ran", least=20)), table)
        drift = max((one.extra.get("drift", 1.0) for one in own), key=lambda value: abs(value - 1))
        console.print(f"the control moved by {100 * (drift - 1):+.0f} %", style="dim")


def _time(one: Any) -> str:
    """A median in suitable units, with half the width of its interval."""
    if one is None:
        return ""
    if one.middle is None:
        return "noise"
    unit, factor = next((row for row in (("s", 1.0), ("ms", 1e3)) if one.middle * row[1] >= 1), ("µs", 1e6))
    middle, spread = one.middle * factor, (one.high - one.low) / 2 * factor
    digits = 0 if middle >= 100 else 1 if middle >= 10 else 2
    return f"{middle:.{digits}f} ± {spread:.{digits}f} {unit}"


def print_changes(console: Console, changes: Sequence[Any], name: str) -> None:
    """What is other than what was kept under `name`, beyond noise."""
    real = [one for one in changes if one.real]
    if not real:
        console.print(f"held against {escape(name)}: {len(changes)} measurements, no change beyond noise")
        return
    columns = (Column("what", least=20), *(Column(name, right=True) for name in ("old", "new", "factor")))
    rows = [
        (one.title, f"{one.old:.3g}", f"{one.new:.3g}", f"{one.factor:.2f}")
        for one in sorted(real, key=lambda change: -change.factor)
    ]
    print_table(console, f"Against {name}: {len(real)} of {len(changes)} changed", columns, rows)
