"""A badge: one line that a README can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import escape

from rnn_harness.records.verdict import Outcome

_CHARACTER_WIDTH = 6.6
"""Pixels that a character of the badge takes, about."""
_REFUTED, _AGREES, _UNDECIDED = "#b3261e", "#0b6b45", "#6a7380"


def badge_svg(counts: Mapping[Outcome, int], equations: int, cells: Sequence[str] = ()) -> str:
    """Draw the badge: green where nothing is refuted, red where something is, grey where nothing was decided.

    Args:
        counts: The number of records of each outcome, without those of the candidates.
        equations: The number of equations.
        cells: The outcomes of the validated candidates.

    Returns:
        An SVG document.
    """
    refuted = counts.get(Outcome.REFUTED, 0) + cells.count("refuted")
    agreeing = counts.get(Outcome.AGREES, 0) + cells.count("agrees")
    subjects = [f"{equations} equations"] if equations or not cells else []
    subjects += [f"{len(cells)} cell{'s' if len(cells) > 1 else ''}"] if cells else []
    text = f"{', '.join(subjects)}, {refuted} refuted" if agreeing or refuted else "nothing decided"
    colour = _REFUTED if refuted else _AGREES if agreeing else _UNDECIDED
    return drawn_badge("rnn-harness", text, colour)


def cell_badge(package: str, agreeing: int, refuted: int, implementations: int) -> str:
    """Draw the badge of a package of which some implementations were judged.

    Args:
        package: The package, with its version.
        agreeing: How many of its implementations agree.
        refuted: How many are refuted.
        implementations: How many were judged.

    Returns:
        An SVG document.
    """
    text = f"{refuted} of {implementations} refuted" if refuted else f"{agreeing} of {implementations} agree"
    colour = _REFUTED if refuted else _AGREES if agreeing == implementations else _UNDECIDED
    return drawn_badge(package, text, colour)


def drawn_badge(label: str, text: str, colour: str) -> str:
    """Draw a badge.

    Args:
        label: What it is about.
        text: What it says.
        colour: The colour behind the text.

    Returns:
        An SVG document.
    """
    label_width, text_width = (len(part) * _CHARACTER_WIDTH + 12 for part in (label, text))
    width = label_width + text_width
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="20" role="img" '
        f'aria-label="{escape(label)}: {escape(text)}"><title>{escape(label)}: {escape(text)}</title>'
        f'<rect width="{label_width:.0f}" height="20" fill="#3a4350"/>'
        f'<rect x="{label_width:.0f}" width="{text_width:.0f}" height="20" fill="{colour}"/>'
        f'<g fill="#fff" font-family="Verdana,sans-serif" font-size="11"><text x="6" y="14">{escape(label)}</text>'
        f'<text x="{label_width + 6:.0f}" y="14">{escape(text)}</text></g></svg>\n'
    )
