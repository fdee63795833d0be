"""Tables for a terminal: per document, a row per entry and a column per witness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from rnn_harness.reports.summary import WITNESSES, Recorded, Row, summarise, totals
from rnn_harness.reports.text.fit_table import Cell, Column, print_table

_SIGNS = {"agrees": ("✓", "green"), "refuted": ("✗ refuted", "bold red"), "vacuous": ("vacuous", "yellow")}
_SHOWN = WITNESSES[1:]


@dataclass(frozen=True)
class Caption:
    """What a row is called: document, line, title, and the errata of the print, each as (id, text)."""

    document: str
    line: int
    title: str
    errata: tuple[tuple[str, str], ...] = ()


def _cell(outcome: str | None) -> Text:
    if outcome is None or outcome == "not run":
        return Text("–", style="dim")
    sign, style = _SIGNS[outcome]
    return Text(sign, style=style)


def _print_cell(row: Row, caption: Caption) -> Text:
    outcome = row.outcomes.get("text")
    if outcome == "refuted":
        return _cell(outcome)
    if caption.errata:
        return Text(", ".join(dict.fromkeys(name for name, _ in caption.errata)), style="yellow")
    return _cell(outcome)


def _share(row: Row) -> str:
    if not row.error_over_bound:
        return ""
    return f"{row.error_over_bound:.2f}" if row.error_over_bound >= 0.005 else "<0.01"


_EQUATIONS = (
    Column("equation", short="id"),
    Column("line", right=True),
    Column("", least=12, cut=True),
    Column("print", least=0),
    *(Column(name) for name in _SHOWN),
    Column("error/bound", right=True, short="error/\nbound"),
)


def _print_documents(console: Console, records: Sequence[Recorded], captions: Mapping[str, Caption]) -> None:
    """One table per document: entry, place, print, witnesses, the worst error as a share of the bound."""
    groups: dict[str, list[tuple[int, Row, Caption]]] = {}
    for (spec, entry), row in summarise(records).items():
        if entry == spec or entry not in captions or spec == "equivalences":
            continue
        caption = captions[entry]
        groups.setdefault(caption.document, []).append((caption.line, row, caption))
    for document in sorted(groups):
        rows: list[list[Cell]] = []
        for line, row, caption in sorted(groups[document], key=lambda item: (item[0], item[1].spec)):
            cells = [_cell(row.outcomes.get(witness)) for witness in _SHOWN]
            title = f"{row.spec}: {caption.title}" if caption.title else row.spec
            rows.append([row.entry, str(line), title, _print_cell(row, caption), *cells, _share(row)])
        title = document if document.endswith(".toml") else f"Document {document}"
        print_table(console, title, _EQUATIONS, rows)
        console.print()


_STEPS = (
    *(Column(name) for name in ("spec", "forward", "backward", "metamorphic", "proof")),
    Column("cases", right=True),
    Column("vacuous", right=True),
    Column("error/bound", right=True, short="error/\nbound"),
)


def _print_steps(console: Console, records: Sequence[Recorded]) -> None:
    """A row per spec: its whole step and sequence, forward, backward, metamorphic properties."""
    rows: list[list[Cell]] = []
    specs: dict[str, list[Recorded]] = {}
    for record in records:
        if record.entry == record.spec:
            specs.setdefault(str(record.spec), []).append(record)
    for spec, own in specs.items():
        cells: list[Cell] = []
        for prefix in ("forward.", "backward.", "metamorphic.", "backward.proof"):
            part = [r for r in own if str(r.check).startswith(prefix)]
            if prefix == "backward.":
                part = [r for r in part if r.check != "backward.proof"]
            found = totals(part)
            if found["refuted"]:
                cells.append(Text(f"✗ {found['refuted']} refuted", style="bold red"))
            elif found["agrees"]:
                note = f" ({found['vacuous']} vacuous)" if found["vacuous"] else ""
                cells.append(Text(f"✓ {found['agrees']}{note}", style="green"))
            else:
                cells.append(Text("–", style="dim"))
        cases = max((r.examples for r in own), default=0)
        skipped = max((r.vacuous for r in own), default=0)
        bounded = [r for r in own if not r.check.startswith("metamorphic.")]
        share = max((r.error_over_bound or 0.0 for r in bounded), default=0.0)
        rows.append([spec, *cells, str(cases), str(skipped), f"{share:.2f}"])
    print_table(console, "Whole cells", _STEPS, rows)


def print_report(console: Console, records: Sequence[Recorded], captions: Mapping[str, Caption], verbose: bool) -> None:
    """Tables, errata with what is right, refutations with their programs, and the total."""
    _print_documents(console, records, captions)
    if any(r.entry == r.spec for r in records):
        _print_steps(console, records)
        console.print()
    _print_equivalences(console, records, captions)
    _print_errata(console, records, captions)
    if verbose:
        _print_checks(console, records)
    rows = summarise(records)
    for record in records:
        if str(record.outcome) == "refuted":
            _print_refutation(console, record, rows[record.spec, record.entry], captions)
    _print_loose(console, records)
    found = totals(records)
    parts = ", ".join(f"{count} {name}" for name, count in found.items())
    console.print(f"{len(records)} records: {parts}.", style="bold red" if found["refuted"] else "bold")


def _print_equivalences(console: Console, records: Sequence[Recorded], captions: Mapping[str, Caption]) -> None:
    pairs = [record for record in records if record.check == "equivalence.proof"]
    if not pairs:
        return
    columns = (Column("id"), Column("proof"), Column("places", least=0), Column("statement", least=20))
    rows = []
    for record in pairs:
        caption = captions[record.entry]
        statement = Text(caption.title)
        if record.reason.startswith("expected different"):
            statement.append(f"\n{record.reason.partition(': ')[2]}", style="dim")
        rows.append((record.entry, _cell(record.outcome), caption.document, statement))
    print_table(console, "Equivalences", columns, rows)
    console.print()


def _print_errata(console: Console, records: Sequence[Recorded], captions: Mapping[str, Caption]) -> None:
    found = []
    for record in records:
        caption = captions.get(str(record.entry))
        if record.check == "text.audit" and caption and caption.errata:
            found.append((caption, record))
    if not found:
        return
    console.print("Errata the audit found in the prints", style="bold")
    for caption, record in sorted(found, key=lambda item: (item[0].document, item[0].line)):
        place = f"{caption.document}:{caption.line}"
        console.print(f"  [yellow]{place}[/] {record.entry}: {escape(str(record.reason))}", soft_wrap=True)
        for name, text in caption.errata:
            console.print(f"      {name}: {escape(text)}", style="dim", soft_wrap=True)
    console.print()


def _print_checks(console: Console, records: Sequence[Recorded]) -> None:
    columns = [Column(name) for name in ("entry", "check", "witness", "outcome", "cases", "error/bound")]
    rows = [
        (
            record.entry,
            record.check,
            record.witness,
            str(record.outcome),
            str(record.examples),
            "" if record.error_over_bound is None else f"{record.error_over_bound:.3g}",
            record.reason[:160],
        )
        for record in records
    ]
    print_table(console, "Every record", (*columns, Column("reason", least=20)), rows)


def _print_refutation(console: Console, record: Recorded, row: Row, captions: Mapping[str, Caption]) -> None:
    entry = str(record.entry)
    caption = captions.get(entry)
    place = f" ({caption.document}:{caption.line})" if caption else ""
    console.print(f"refuted: {entry}{place}, {record.check}", style="bold red")
    console.print(f"  {escape(str(record.reason))}", soft_wrap=True)
    if row.odd_one_out == record.witness:
        console.print(f"  odd one out: {record.witness}; the other witnesses agree with each other", style="dim")
    program = str(record.program)
    if program:
        console.print("  a program that shows it:", style="dim")
        console.print(
            escape("".join(f"    {line}\n" for line in program.splitlines())), highlight=False, soft_wrap=True
        )


def _print_loose(console: Console, records: Sequence[Recorded]) -> None:
    loose: dict[str, list[str]] = {}
    for record in records:
        if record.reason.startswith("loose bound"):
            loose.setdefault(record.check, []).append(record.entry)
    for check, entries in sorted(loose.items()):
        shown = ", ".join(dict.fromkeys(entries))
        console.print(f"loose bound, {check}: {shown} (more than 100 times the largest error seen)", style="dim")
