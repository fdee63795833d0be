"""The documents whose equations the specs hold: their titles, by which readers know them, and where those stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class DocumentTitle:
    """A document's title as it names itself.

    Attributes:
        title: What readers call it, in its own words.
        lines: The words of it by the number of the line on which they stand.
    """

    title: str
    lines: Mapping[int, str]


DOCUMENT_TITLES: Mapping[str, DocumentTitle] = MappingProxyType(
    {
        "000": DocumentTitle("GRU (Gated Recurrent Unit)", {4: "GRU (Gated Recurrent Unit)"}),
        "001": DocumentTitle("RNNs, GRUs, and LSTMs", {11: "RNNs, GRUs, and LSTMs"}),
        "002": DocumentTitle(
            "Advanced Artificial Intelligence: Sequential Models",
            {12: "Advanced Artificial Intelligence", 29: "Sequential Models"},
        ),
        "003": DocumentTitle("Sequence Models, DSE 3151", {3: "Sequence Models", 5: "DSE 3151"}),
        "004": DocumentTitle(
            "NLP: Recurrent Neural Network, Understanding GRUs",
            {5: "NLP: Recurrent Neural Network", 7: "Understanding GRUs"},
        ),
    }
)
"""The five lecture documents, by the number with which places cite them."""


def document_title(number: str) -> str:
    """Return the title of a document, or its number where it is none of the five.

    Args:
        number: As places cite it: ``003``.
    """
    known = DOCUMENT_TITLES.get(number)
    return known.title if known is not None else number
