"""Kernels for a terminal: a row per kernel, dtype and device; then why something was not run, and what is refuted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from rnn_harness.reports.summary import totals
from rnn_harness.reports.text.fit_table import Cell, Column, print_table


class Judged(Protocol):
    """What this report reads of a record."""

    @property
    def entry(self) -> str: ...
    @property
    def spec(self) -> str: ...
    @property
    def check(self) -> str: ...
    @property
    def witness(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def error_over_bound(self) -> float | None: ...
    @property
    def examples(self) -> int: ...
    @property
    def vacuous(self) -> int: ...
    @property
    def program(self) -> str: ...
    @property
    def bits(self) -> float | None: ...
    @property
    def kernel(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def ran(self) -> str: ...


_Place = tuple[str, str, str]
_GROUPS = ("precision.", "backward.", "metamorphic.", "behaviour.")


def _place(record: Judged) -> _Place:
    return record.kernel, record.dtype, record.device.split(" ")[0]


def _count(records: Iterable[Judged], prefix: str) -> Text:
    """How many checks of a group agree, and how many do not; a dash where none was decided."""
    found = totals([record for record in records if record.check.startswith(prefix)])
    if found["refuted"]:
        return Text(f"✗ {found['refuted']} refuted", style="bold red")
    if not found["agrees"]:
        return Text("–", style="dim")
    left = found["not run"] + found["vacuous"]
    return Text(f"✓ {found['agrees']}" + (f" (–{left})" if left else ""), style="green")


def _bits(records: Sequence[Judged], check: str) -> str:
    found = next((record.bits for record in records if record.check == check and record.bits is not None), None)
    return "" if found is None else f"{min(found, 99):.1f}"


_COLUMNS = (
    *(Column(name) for name in ("kernel", "dtype", "device", "right one", "forward")),
    Column("bits", right=True),
    Column("bits, T=1000", right=True, short="T=1000"),
    *(Column(name) for name in ("backward", "metamorphic", "behaviour")),
    Column("error/bound", right=True, short="error/\nbound"),
)


def _print_table(console: Console, records: Sequence[Judged]) -> None:
    """One row per kernel, dtype and device that was run."""
    rows: list[list[Cell]] = []
    places: dict[_Place, list[Judged]] = {}
    for record in records:
        places.setdefault(_place(record), []).append(record)
    for (kernel, dtype, device), own in places.items():
        if not dtype or all(str(record.outcome) == "not run" for record in own):
            continue
        groups = [_count(own, prefix) for prefix in _GROUPS]
        judged = [record for record in own if record.check in ("precision.format", "backward.bound")]
        bounded = [record.error_over_bound for record in judged if record.error_over_bound is not None]
        first, second = _bits(own, "precision.format"), _bits(own, "precision.long")
        dispatch = _count(own, "kernel.dispatch")
        dispatch = Text("✓", style="green") if dispatch.plain.startswith("✓") else dispatch
        share = f"{max(bounded):.2f}" if bounded else ""
        rows.append([kernel, dtype, device, dispatch, groups[0], first, second, *groups[1:], share])
    print_table(console, "Kernels", _COLUMNS, rows)


def print_kernels(console: Console, records: Sequence[Judged], verbose: bool) -> None:
    """The table, the reasons of what was not run, every refutation, and the total."""
    if not any(record.dtype for record in records):
        _print_refutations(console, records)
        return
    _print_table(console, records)
    console.print(
        "forward: outputs within the bound of the format, and over 1,000 steps from the kernel's own states. "
        "(–n): not run, or vacuous; -v gives the reasons.",
        style="dim",
    )
    reasons: dict[str, set[str]] = {}
    for record in records:
        if str(record.outcome) == "not run" and record.check == "kernel.dispatch":
            reasons.setdefault(record.reason, set()).add(f"{record.kernel} {record.dtype}")
    for reason, which in reasons.items():
        console.print(f"not run, {len(which)} settings: {escape(reason)}", style="yellow", soft_wrap=True)
    if verbose:
        print_every(console, records)
    _print_refutations(console, records)


def _print_refutations(console: Console, records: Sequence[Judged]) -> None:
    for record in records:
        if str(record.outcome) == "refuted":
            where = f"{record.kernel}, {record.dtype} on {record.device}" if record.dtype else record.kernel
            console.print(f"refuted: {where}, {record.check}", style="bold red", soft_wrap=True)
            console.print(f"  {escape(record.reason)}", soft_wrap=True)
            if record.ran:
                console.print(f"  what ran: {escape(record.ran)}", style="dim", soft_wrap=True)
    found = totals(records)
    parts = ", ".join(f"{count} {name}" for name, count in found.items())
    console.print(f"{len(records)} records: {parts}.", style="bold red" if found["refuted"] else "bold")


def print_every(console: Console, records: Sequence[Judged]) -> None:
    """Every record, one a row."""
    columns = [Column(name) for name in ("kernel", "dtype", "check", "outcome", "cases", "error/bound")]
    rows = []
    for record in records:
        share = "" if record.error_over_bound is None else f"{record.error_over_bound:.3g}"
        outcome, cases = str(record.outcome), str(record.examples)
        rows.append((record.kernel, record.dtype, record.check, outcome, cases, share, record.reason[:200]))
    print_table(console, "Every record", (*columns, Column("reason", least=20)), rows)
