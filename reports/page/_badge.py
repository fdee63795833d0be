"""A badge: one line that a README can show."""

from __future__ import annotations

from markupsafe import escape

_CHARACTER = 6.6
"""Pixels that a character of the badge takes, about."""


def badge(counts: dict[str, int], equations: int) -> str:
    """An SVG: green where nothing is refuted, red where something is, grey where nothing was decided."""
    refuted, agreeing = counts.get("refuted", 0), counts.get("agrees", 0)
    told = f"{equations} equations, {refuted} refuted" if agreeing or refuted else "nothing decided"
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
