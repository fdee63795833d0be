"""Measurements for a terminal: parameters, decay of gradients, speed, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_LAGS = (1, 10, 100)


def _table(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    made = Table(title=title, title_justify="left", header_style="bold", pad_edge=False)
    for name in left:
        made.add_column(name)
    for name in right:
        made.add_column(name, justify="right", no_wrap=True)
    return made


def print_bench(console: Console, found: Sequence[Any]) -> None:
    """`found`: `Measurement`s. A table for each kind that is among them."""
    _parameters(console, [one for one in found if one.kind == "parameters"])
    _decay(console, [one for one in found if one.kind == "decay"])
    _learning(console, [one for one in found if one.kind == "learning"])
    _speed(console, [one for one in found if one.kind == "speed"])


def _parameters(console: Console, rows: Sequence[Any]) -> None:
    if not rows:
        return
    made = _table("Parameters (of cells at n = 3, d = 4, k = 2)", ("what", "closed form", "held against"), ("count",))
    for one in rows:
        mark = "" if one.agrees else "[red]✗[/] "
        made.add_row(
            one.subject, one.text, mark + escape(one.reason.removeprefix("held against ")), f"{one.middle:.0f}"
        )
    console.print(made)


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
    made = _table(
        title, ("cell", "initialisation"), (*lags, "per step [95 %]", "half-life", "float32 sees", "Lyapunov")
    )
    for one in rows:
        if one.agrees is False:
            made.add_row(one.subject, one.what, *[""] * len(lags), f"[red]not right: {escape(one.reason)}[/]")
            continue
        norms = [f"{10 ** one.extra[f'log10 at {lag}']:.1e}" if f"log10 at {lag}" in one.extra else "" for lag in _LAGS]
        rate = f"{one.middle:.3f} [{one.low:.3f}, {one.high:.3f}]"
        half = f"{one.extra['half-life']:.1f}" if "half-life" in one.extra else "–"
        horizon = f"{one.extra['float32 horizon']:.0f} steps" if "float32 horizon" in one.extra else "no end"
        made.add_row(one.subject, one.what, *norms, rate, half, horizon, f"{one.extra['Lyapunov exponent']:+.3f}")
    console.print(made)


def _learning(console: Console, rows: Sequence[Any]) -> None:
    """One table a task."""
    for task in dict.fromkeys((one.what, one.sizes["T"]) for one in rows):
        own = [one for one in rows if (one.what, one.sizes["T"]) == task]
        first = own[0]
        title = f"Learning: {first.text}, T = {task[1]}, {first.sizes['steps']} steps of 64 sequences; chance "
        right = ("parameters", "loss [seeds]", "solved", "after steps", "seconds", "rate before", "after")
        made = _table(f"{title}{first.extra['chance']:.4f}", ("who",), right)
        for one in own:
            told = one.extra
            loss = f"{one.middle:.4f} [{min(one.samples):.4f}, {max(one.samples):.4f}]"
            solved = f"{told['seeds solved']:.0f} of {told['seeds']:.0f}"
            steps = f"{told['steps until solved']:.0f}" if "steps until solved" in told else "–"
            rates = [f"{told[name]:.3f}" if name in told else "" for name in ("rate before", "rate after")]
            made.add_row(
                one.subject, f"{told['parameters']:.0f}", loss, solved, steps, f"{told['seconds']:.1f}", *rates
            )
        console.print(made)


def _speed(console: Console, rows: Sequence[Any]) -> None:
    """One table a place of the grid; what is not right has no time."""
    places: dict[tuple[Any, ...], list[Any]] = {}
    for one in rows:
        where = one.dtype if one.device == "cpu" else f"{one.dtype} on {one.device}"
        places.setdefault((one.spec, tuple(one.sizes.items()), where), []).append(one)
    for (spec, sizes, dtype), own in places.items():
        told = ", ".join(f"{name} = {value}" for name, value in sizes)
        made = _table(
            f"Speed of {spec}, {told}, {dtype}", ("who",), ("forward", "backward", "both", "of roofline", "memory")
        )
        made.add_column("what ran")
        for subject in dict.fromkeys(one.subject for one in own):
            mine = {one.what: one for one in own if one.subject == subject}
            wrong = next((one for one in mine.values() if one.agrees is False), None)
            if wrong is not None:
                made.add_row(subject, "–", "–", "–", "", "", f"[red]not right: {escape(wrong.reason)}[/]")
                continue
            times = [_time(mine.get(what)) for what in ("forward", "backward", "both")]
            last = mine.get("both") or mine["forward"]
            memory = f"{last.extra['peak memory, MB']:.1f} MB" if "peak memory, MB" in last.extra else ""
            share = f"{100 * last.extra['share of roofline']:.0f} %"
            made.add_row(subject, *times, share, memory, escape(last.ran[:60]))
        console.print(made)
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
    made = _table(f"Against {escape(name)}: {len(real)} of {len(changes)} changed", ("what",), ("old", "new", "factor"))
    for one in sorted(real, key=lambda change: -change.factor):
        made.add_row(escape(one.title), f"{one.old:.3g}", f"{one.new:.3g}", f"{one.factor:.2f}")
    console.print(made)
