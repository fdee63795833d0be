"""A badge: one line that a README can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import escape

_CHARACTER = 6.6
"""Pixels that a character of the badge takes, about."""


def badge(counts: Mapping[str, int], equations: int, cells: Sequence[str] = ()) -> str:
    """An SVG: green where nothing is refuted, red where something is, grey where nothing was decided.

    `counts`: records by outcome; `cells`: the outcomes of somebody's cells.
    """
    refuted = counts.get("refuted", 0) + cells.count("refuted")
    agreeing = counts.get("agrees", 0) + cells.count("agrees")
    subjects = [f"{equations} equations"] if equations or not cells else []
    subjects += [f"{len(cells)} cell{'s' if len(cells) > 1 else ''}"] if cells else []
    told = f"{', '.join(subjects)}, {refuted} refuted" if agreeing or refuted else "nothing decided"
    colour = "#b3261e" if refuted else "#0b6b45" if agreeing else "#6a7380"
    left, right = (len(text) * _CHARACTER + 12 for text in ("rnn-harness", told))
    whole = left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole:.0f}" height="20" role="img" '
        f'aria-label="rnn-harness: {escape(told)}"><title>rnn-harness: {escape(told)}</title>'
        f'<rect width="{left:.0f}" height="20" fill="#3a4350"/>'
        f'<rect x="{left:.0f}" width="{right:.0f}" height="20" fill="{colour}"/>'
        f'<g fill="#fff" font-family="Verdana,sans-serif" font-size="11"><text x="6" y="14">rnn-harness</text>'
        f'<text x="{left + 6:.0f}" y="14">{escape(told)}</text></g></svg>\n'
    )
