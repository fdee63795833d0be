"""What the documents say, as far as a report shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rnn_harness.reports.entry_caption import EntryCaption, PrintErratum
from rnn_harness.specs import (
    Claim,
    Contradiction,
    Equivalence,
    Misprint,
    Program,
    Table,
    claims,
    contradictions,
    equivalences,
    library,
    misprints,
)


@dataclass(frozen=True)
class PrintedEntry(EntryCaption):
    """An entry as a document prints it.

    Attributes:
        document: The number of the document.
        line: The line on which the entry begins.
        title: The section.
        errata: The errors of the print.
        printed: The print, character for character.
        reading: What is computed in its place; empty where the print itself is.
        is_formula: Whether it is a formula; else it is a program or a table.
    """

    printed: str = ""
    reading: str = ""
    is_formula: bool = True


@dataclass(frozen=True)
class DocumentStatements:
    """What the documents say.

    Attributes:
        printed: Their entries, by id.
        claims: Their sentences that can be decided.
        misprints: Their errors outside of equations.
        contradictions: Their positions that cannot all be right.
        equivalences: The pairs of specs that evidence may name.
    """

    printed: Mapping[str, PrintedEntry] = field(default_factory=dict)
    claims: Sequence[Claim] = ()
    misprints: Sequence[Misprint] = ()
    contradictions: Sequence[Contradiction] = ()
    equivalences: Sequence[Equivalence] = ()


def document_statements() -> DocumentStatements:
    """Return what the shipped specs say that the documents say."""
    printed = {
        entry.id: PrintedEntry(
            document=entry.document or spec.model.document,
            line=entry.line,
            title=entry.section,
            errata=tuple(PrintErratum(erratum.id, erratum.text) for erratum in entry.errata),
            printed=entry.printed,
            reading=entry.reading or "",
            is_formula=not isinstance(entry, Program | Table),
        )
        for spec in library().specs
        for entry in spec.entries
    }
    return DocumentStatements(printed, claims(), misprints(), contradictions(), equivalences())
