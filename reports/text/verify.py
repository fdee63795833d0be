"""Verified equations for a terminal: per document, a row per entry and a column per witness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.entry_caption import EntryCaption
from rnn_harness.reports.summary import WITNESSES, EntrySummary, count_outcomes, summarise_entries
from rnn_harness.reports.text.fit_table import Cell, Column, print_table
from rnn_harness.reports.text.kernels import print_totals

_SIGNS = {
    Outcome.AGREES: ("✓", "green"),
    Outcome.REFUTED: ("✗ refuted", "bold red"),
    Outcome.VACUOUS: ("vacuous", "yellow"),
}
_WITNESS_COLUMNS = WITNESSES[1:]
"""The witness ``text`` speaks in the column of the print."""
_LONGEST_REASON = 160
_SMALLEST_SHARE = 0.005
"""Where rounding to two digits gives zero."""


def _outcome_cell(outcome: Outcome | None) -> Text:
    """Return the sign of an outcome; a dash where nothing was decided."""
    if outcome is None or outcome is Outcome.NOT_RUN:
        return Text("–", style="dim")
    sign, style = _SIGNS[outcome]
    return Text(sign, style=style)


def _print_cell(summary: EntrySummary, caption: EntryCaption) -> Text:
    """Return what the audit says of the print: refuted, the ids of its errata, or its sign."""
    outcome = summary.outcomes.get("text")
    if outcome is not Outcome.REFUTED and caption.errata:
        return Text(", ".join(dict.fromkeys(erratum.id for erratum in caption.errata)), style="yellow")
    return _outcome_cell(outcome)


def _share_cell(summary: EntrySummary) -> str:
    """Return the worst error as a share of the bound; empty where there was no error."""
    share = summary.error_over_bound
    if not share:
        return ""
    return f"{share:.2f}" if share >= _SMALLEST_SHARE else "<0.01"


_EQUATIONS = (
    Column("equation", short="id"),
    Column("line", right=True),
    Column("", least=12, cut=True),
    Column("print", least=0),
    *(Column(witness) for witness in _WITNESS_COLUMNS),
    Column("error/bound", right=True, short="error/\nbound"),
)


def _print_documents(console: Console, records: Sequence[Record], captions: Mapping[str, EntryCaption]) -> None:
    """Print one table per document: entry, place, print, witnesses, the worst error as a share of the bound."""
    documents: dict[str, list[EntrySummary]] = {}
    for (spec, entry), summary in summarise_entries(records).items():
        if entry != spec and entry in captions and spec != "equivalences":
            documents.setdefault(captions[entry].document, []).append(summary)
    for document in sorted(documents):
        rows: list[list[Cell]] = []
        in_order = sorted(documents[document], key=lambda summary: (captions[summary.entry].line, summary.spec))
        for summary in in_order:
            caption = captions[summary.entry]
            cells = [_outcome_cell(summary.outcomes.get(witness)) for witness in _WITNESS_COLUMNS]
            title = f"{summary.spec}: {caption.title}" if caption.title else summary.spec
            print_cell, share = _print_cell(summary, caption), _share_cell(summary)
            rows.append([summary.entry, str(caption.line), title, print_cell, *cells, share])
        heading = document if document.endswith(".toml") else f"Document {document}"
        print_table(console, heading, _EQUATIONS, rows)
        console.print()


_CELLS = (
    *(Column(name) for name in ("spec", "forward", "backward", "metamorphic", "proof")),
    Column("cases", right=True),
    Column("vacuous cases", right=True, short="vacuous\ncases"),
    Column("error/bound", right=True, short="error/\nbound"),
)
_PROOF = "backward.proof"


def _print_cells(console: Console, records: Sequence[Record]) -> None:
    """Print a row per spec: its step and sequence as one function, forward, backward, metamorphic properties."""
    specs: dict[str, list[Record]] = {}
    for record in records:
        specs.setdefault(record.spec, []).append(record)
    rows: list[list[Cell]] = []
    for spec, records_of_spec in specs.items():
        proofs = [record for record in records_of_spec if record.check == _PROOF]
        checks = [record for record in records_of_spec if record.check != _PROOF]
        cells = [_group_cell(checks, prefix) for prefix in ("forward.", "backward.", "metamorphic.")]
        bounded = [record for record in records_of_spec if not record.check.startswith("metamorphic.")]
        share = max((record.error_over_bound or 0.0 for record in bounded), default=0.0)
        examples = max(record.examples for record in records_of_spec)
        vacuous = max(record.vacuous for record in records_of_spec)
        rows.append([spec, *cells, _group_cell(proofs, _PROOF), str(examples), str(vacuous), f"{share:.2f}"])
    print_table(console, "Whole cells", _CELLS, rows)


def _group_cell(records: Sequence[Record], prefix: str) -> Text:
    """Return how many checks of a group agree or are refuted; a dash where none was decided."""
    counts = count_outcomes(record for record in records if record.check.startswith(prefix))
    if counts[Outcome.REFUTED]:
        return Text(f"✗ {counts[Outcome.REFUTED]} refuted", style="bold red")
    if counts[Outcome.AGREES]:
        note = f" ({counts[Outcome.VACUOUS]} vacuous)" if counts[Outcome.VACUOUS] else ""
        return Text(f"✓ {counts[Outcome.AGREES]}{note}", style="green")
    return Text("–", style="dim")


def print_equations(
    console: Console, records: Sequence[Record], captions: Mapping[str, EntryCaption], verbose: bool
) -> None:
    """Print tables, errata with what is right, refutations with their programs, and the total.

    Args:
        console: The terminal.
        records: The records of equations, cells and pairs of specs.
        captions: How every entry and pair is named, by its id.
        verbose: Whether every record is listed, too.
    """
    _print_documents(console, records, captions)
    of_cells = [record for record in records if record.entry == record.spec]
    if of_cells:
        _print_cells(console, of_cells)
        console.print()
    _print_equivalences(console, records, captions)
    _print_facts(console, records)
    _print_errata(console, records, captions)
    if verbose:
        _print_records(console, records)
    summaries = summarise_entries(records)
    for record in records:
        if record.outcome is Outcome.REFUTED:
            _print_refutation(console, record, summaries[record.spec, record.entry], captions)
    _print_loose_bounds(console, records)
    print_totals(console, records)


def _print_equivalences(console: Console, records: Sequence[Record], captions: Mapping[str, EntryCaption]) -> None:
    """Print a table of the pairs of specs, with what shows that two are different."""
    pairs = [record for record in records if record.check == "equivalence.proof"]
    if not pairs:
        return
    columns = (Column("id"), Column("proof"), Column("places", least=0), Column("statement", least=20))
    rows: list[list[Cell]] = []
    for record in pairs:
        caption = captions[record.entry]
        statement = Text(caption.title)
        if record.reason.startswith("expected different"):
            statement.append(f"\n{record.reason.partition(': ')[2]}", style="dim")
        rows.append([record.entry, _outcome_cell(record.outcome), caption.document, statement])
    print_table(console, "Equivalences", columns, rows)
    console.print()


def _print_facts(console: Console, records: Sequence[Record]) -> None:
    """Print a table of the facts that decide claims, each with what was computed."""
    facts = [record for record in records if record.spec == "facts"]
    if facts:
        columns = (Column("fact"), Column("holds"), Column("computed", least=20))
        rows: list[list[Cell]] = [
            [record.check, _outcome_cell(record.outcome), Text(record.reason)] for record in facts
        ]
        print_table(console, "Facts that decide claims", columns, rows)
        console.print()


def _print_errata(console: Console, records: Sequence[Record], captions: Mapping[str, EntryCaption]) -> None:
    """Print what the audit says of every print with an erratum, and the erratum in words."""
    audits = [
        (captions[record.entry], record)
        for record in records
        if record.check == "text.audit" and record.entry in captions and captions[record.entry].errata
    ]
    if not audits:
        return
    console.print("Errata the audit found in the prints", style="bold")
    for caption, record in sorted(audits, key=lambda audit: (audit[0].document, audit[0].line)):
        place = f"{caption.document}:{caption.line}"
        console.print(f"  [yellow]{place}[/] {record.entry}: {escape(record.reason)}", soft_wrap=True)
        for erratum in caption.errata:
            console.print(f"      {erratum.id}: {escape(erratum.text)}", style="dim", soft_wrap=True)
    console.print()


def _print_records(console: Console, records: Sequence[Record]) -> None:
    """Print a table of every record."""
    columns = [Column(name) for name in ("entry", "check", "witness", "outcome", "cases", "error/bound")]
    rows = [
        (
            record.entry,
            record.check,
            record.witness,
            str(record.outcome),
            str(record.examples),
            "" if record.error_over_bound is None else f"{record.error_over_bound:.3g}",
            record.reason[:_LONGEST_REASON],
        )
        for record in records
    ]
    print_table(console, "Every record", (*columns, Column("reason", least=20)), rows)


def _print_refutation(
    console: Console, record: Record, summary: EntrySummary, captions: Mapping[str, EntryCaption]
) -> None:
    """Print a refutation with its place, its reason, how the witnesses vote, and a program that shows it."""
    caption = captions.get(record.entry)
    place = f" ({caption.document}:{caption.line})" if caption else ""
    console.print(f"refuted: {record.entry}{place}, {record.check}", style="bold red")
    console.print(f"  {escape(record.reason)}", soft_wrap=True)
    if summary.odd_one_out == record.witness:
        console.print(f"  odd one out: {record.witness}; the other witnesses agree with each other", style="dim")
    if record.program:
        console.print("  a program that shows it:", style="dim")
        program = "".join(f"    {line}\n" for line in record.program.splitlines())
        console.print(escape(program), highlight=False, soft_wrap=True)


def _print_loose_bounds(console: Console, records: Sequence[Record]) -> None:
    """Print which bounds are far above every error that was seen, by check."""
    entries: dict[str, list[str]] = {}
    for record in records:
        if record.reason.startswith("loose bound"):
            entries.setdefault(record.check, []).append(record.entry)
    for check, loose in sorted(entries.items()):
        names = ", ".join(dict.fromkeys(loose))
        console.print(f"loose bound, {check}: {names} (more than 100 times the largest error seen)", style="dim")
