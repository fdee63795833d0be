"""How a report names an entry of a document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PrintErratum:
    """An error in the print of an entry.

    Attributes:
        id: The permanent id.
        text: The error in our words.
    """

    id: str
    text: str


@dataclass(frozen=True)
class EntryCaption:
    """How a report names an entry, or a pair of specs.

    Attributes:
        document: The number of the document, or the name of the file.
        line: The line on which the entry begins; 0 for a pair of specs.
        title: The section, or the title of the spec or the pair.
        errata: The errors of the print.
    """

    document: str
    line: int
    title: str
    errata: tuple[PrintErratum, ...] = ()
