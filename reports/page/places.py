"""Places in documents as a reader knows them: by title and line."""

from __future__ import annotations

from collections.abc import Iterable

from rnn_harness.specs import document_title


def places_text(places: Iterable[str]) -> str:
    """Write places by the title of their document: ``Sequence Models, DSE 3151 (003): lines 187, 203``.

    Args:
        places: Each a document's number and a line, as ``003:187``; what is no place stays as it is.
    """
    lines_of: dict[str, list[str]] = {}
    for place in places:
        document, _, line = place.partition(":")
        lines_of.setdefault(document, []).append(line)
    return "; ".join(_text(document, list(filter(None, lines))) for document, lines in lines_of.items())


def _text(document: str, lines: list[str]) -> str:
    """Write one document with its lines."""
    title = document_title(document)
    name = title if title == document else f"{title} ({document})"
    return f"{name}: {'line' if len(lines) == 1 else 'lines'} {', '.join(lines)}" if lines else name
