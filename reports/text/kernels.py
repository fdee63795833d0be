"""Kernels for a terminal: a row per kernel, dtype and device; then why something was not run, and what is refuted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.summary import count_outcomes
from rnn_harness.reports.text.fit_table import Cell, Column, print_table

_GROUPS = ("precision.", "backward.", "metamorphic.", "behaviour.")
_MOST_BITS = 99
_LONGEST_REASON = 200


class KernelConfiguration(NamedTuple):
    """What one row of the table is about.

    Attributes:
        kernel: The kernel's id.
        dtype: The dtype; empty for records about no dtype.
        device: The kind of device, without its name.
    """

    kernel: str
    dtype: str
    device: str

    @classmethod
    def of(cls, record: Record) -> KernelConfiguration:
        """Return the setting in which a record was made.

        Args:
            record: A record of a kernel; of its device, only the kind counts.
        """
        return cls(record.kernel, record.dtype, record.device.split(" ")[0])


def _count_cell(records: Iterable[Record], prefix: str) -> Text:
    """Return how many checks of a group agree, and how many do not; a dash where none was decided."""
    counts = count_outcomes(record for record in records if record.check.startswith(prefix))
    if counts[Outcome.REFUTED]:
        return Text(f"✗ {counts[Outcome.REFUTED]} refuted", style="bold red")
    if not counts[Outcome.AGREES]:
        return Text("–", style="dim")
    undecided = counts[Outcome.NOT_RUN] + counts[Outcome.VACUOUS]
    return Text(f"✓ {counts[Outcome.AGREES]}" + (f" (–{undecided})" if undecided else ""), style="green")


def _bits_cell(records: Sequence[Record], check: str) -> str:
    """Return the effective precision that a check found, in bits; empty where it found none."""
    bits = next((record.bits for record in records if record.check == check and record.bits is not None), None)
    return "" if bits is None else f"{min(bits, _MOST_BITS):.1f}"


_COLUMNS = (
    *(Column(name) for name in ("kernel", "dtype", "device", "right one", "forward")),
    Column("bits", right=True),
    Column("bits, T=1000", right=True, short="T=1000"),
    *(Column(name) for name in ("backward", "metamorphic", "behaviour")),
    Column("error/bound", right=True, short="error/\nbound"),
)


def _print_settings(console: Console, records: Sequence[Record]) -> None:
    """Print one row per setting in which something was run."""
    rows: list[list[Cell]] = []
    settings: dict[KernelConfiguration, list[Record]] = {}
    for record in records:
        settings.setdefault(KernelConfiguration.of(record), []).append(record)
    for setting, records_there in settings.items():
        if setting.dtype and any(record.outcome is not Outcome.NOT_RUN for record in records_there):
            rows.append(_setting_row(setting, records_there))
    print_table(console, "Kernels", _COLUMNS, rows)


def _setting_row(setting: KernelConfiguration, records: Sequence[Record]) -> list[Cell]:
    """Return the row of one setting from its records."""
    forward, *groups = (_count_cell(records, prefix) for prefix in _GROUPS)
    bounded = [
        record.error_over_bound
        for record in records
        if record.check in ("precision.format", "backward.bound") and record.error_over_bound is not None
    ]
    dispatch = _count_cell(records, "kernel.dispatch")
    if dispatch.plain.startswith("✓"):
        dispatch = Text("✓", style="green")
    return [
        *setting,
        dispatch,
        forward,
        _bits_cell(records, "precision.format"),
        _bits_cell(records, "precision.long"),
        *groups,
        f"{max(bounded):.2f}" if bounded else "",
    ]


def print_kernels(console: Console, records: Sequence[Record], verbose: bool) -> None:
    """Print the table, the reasons of what was not run, every refutation, and the total.

    Args:
        console: The terminal.
        records: The records of kernels.
        verbose: Whether every record is listed, too.
    """
    if not any(record.dtype for record in records):
        _print_refutations(console, records)
        return
    _print_settings(console, records)
    console.print(
        "forward: outputs within the bound of the format, and over 1,000 steps from the kernel's own states. "
        "(–n): not run, or vacuous; -v gives the reasons.",
        style="dim",
    )
    reasons: dict[str, set[str]] = {}
    for record in records:
        if record.outcome is Outcome.NOT_RUN and record.check == "kernel.dispatch":
            reasons.setdefault(record.reason, set()).add(f"{record.kernel} {record.dtype}")
    for reason, settings in reasons.items():
        console.print(f"not run, {len(settings)} settings: {escape(reason)}", style="yellow", soft_wrap=True)
    if verbose:
        print_records(console, records)
    _print_refutations(console, records)


def _print_refutations(console: Console, records: Sequence[Record]) -> None:
    """Print every refutation, and how many records there are of each outcome."""
    for record in records:
        if record.outcome is Outcome.REFUTED:
            where = f"{record.kernel}, {record.dtype} on {record.device}" if record.dtype else record.kernel
            console.print(f"refuted: {where}, {record.check}", style="bold red", soft_wrap=True)
            console.print(f"  {escape(record.reason)}", soft_wrap=True)
            if record.ran:
                console.print(f"  kernels that ran: {escape(record.ran)}", style="dim", soft_wrap=True)
    print_totals(console, records)


def print_totals(console: Console, records: Sequence[Record]) -> None:
    """Print how many records there are of each outcome.

    Args:
        console: Where to.
        records: Every record, of references and of kernels.
    """
    counts = count_outcomes(records)
    parts = ", ".join(
        f"{count} {'agree' if outcome is Outcome.AGREES and count != 1 else outcome}"
        for outcome, count in counts.items()
    )
    total = f"{len(records)} record{'' if len(records) == 1 else 's'}"
    console.print(f"{total}: {parts}.", style="bold red" if counts[Outcome.REFUTED] else "bold")


def print_records(console: Console, records: Sequence[Record]) -> None:
    """Print a table of every record of kernels or of a candidate.

    Args:
        console: Where to.
        records: One row each, in this order; long reasons are cut.
    """
    columns = [Column(name) for name in ("kernel", "dtype", "check", "outcome", "cases", "error/bound")]
    rows = [
        (
            record.kernel,
            record.dtype,
            record.check,
            str(record.outcome),
            str(record.examples),
            "" if record.error_over_bound is None else f"{record.error_over_bound:.3g}",
            record.reason[:_LONGEST_REASON],
        )
        for record in records
    ]
    print_table(console, "Every record", (*columns, Column("reason", least=20)), rows)
