"""One colour for each family and one line style for each initialisation, everywhere on the page."""

from __future__ import annotations

FAMILY_COLOURS = {"rnn": "var(--rnn)", "gru": "var(--gru)", "lstm": "var(--lstm)"}
"""Colours of the style sheet, which gives each a lighter tone in the dark. Colour-blind readers tell them
apart (a test simulates their sight), and everybody does by line styles, markers and labels without any colour."""
_OTHER_COLOUR = "var(--ink)"
_DASHES = {
    "": "",
    "torch": "",
    "orthogonal": "2 3",
    "keep": "9 3",
    "chrono": "9 3",
    "forget-1": "9 3 2 3",
    "forget gate's bias 1": "9 3 2 3",
    "forget-5": "5 2",
    "gain-0.9": "5 2",
}
_OTHER_DASHES = "3 2"


def family_of(text: str) -> str:
    """Return the family that a spec, a cell or an implementation belongs to; empty where it is none.

    Args:
        text: A spec (``lstm.column``), a title (``LSTM without forget gate``) or a kernel (``nn.LSTM/onednn``).
    """
    lowered = text.lower()
    return next((family for family in ("lstm", "gru", "rnn") if family in lowered), "")


def family_colour(text: str) -> str:
    """Return the colour of the family that a text names.

    Args:
        text: As for `family_of`.
    """
    return FAMILY_COLOURS.get(family_of(text), _OTHER_COLOUR)


def dashes_of(variant: str) -> str:
    """Return the dashes of an initialisation or a variant; empty for a full line.

    Args:
        variant: Its name; empty for the usual one.
    """
    return _DASHES.get(variant, _OTHER_DASHES)
