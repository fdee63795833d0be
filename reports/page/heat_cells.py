"""Cells of a heat map as SVG text: a colour of the page at the opacity of a number, with what a reader sees of it."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import escape

_LETTER, _SCALE_CELL = 6.6, 12
"""About how wide a letter is, and a cell of a colour scale."""
FAINTEST = 0.04
"""The opacity of zero: a cell that is there is seen to be there."""


def share_cell(
    x: float, y: float, width: float, height: float, share: float, colour: str, css_class: str = "heat"
) -> str:
    """Draw one cell whose opacity is a share of one.

    Args:
        x: Its left edge.
        y: Its upper edge.
        width: How far it reaches to the right.
        height: How far it reaches down.
        share: 0 is faint, 1 is full; what lies outside is cut off.
        colour: A colour of CSS.
        css_class: Its class: of a cell, or of a colour scale.
    """
    opacity = FAINTEST + (1 - FAINTEST) * min(max(share, 0.0), 1.0)
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{css_class}" {place} style="fill: {colour}" fill-opacity="{opacity:.2f}"/>'


def colour_scale(x: float, y: float, low: str, high: str, shares: Sequence[tuple[float, str]]) -> list[str]:
    """Draw a row of small cells that shows what their colours mean, between the numbers of its ends.

    Args:
        x: Where the text of the lower end begins.
        y: The baseline of the texts.
        low: The number of the first cell.
        high: The number of the last.
        shares: The share and the colour of each cell.
    """
    start = x + _LETTER * len(low) + 4
    cells = [
        share_cell(start + _SCALE_CELL * number, y - 9, _SCALE_CELL, 10, share, colour, "scale-cell")
        for number, (share, colour) in enumerate(shares)
    ]
    end = start + _SCALE_CELL * len(shares) + 4
    return [text_at(x, y, low), *cells, text_at(end, y, high)]


def signed_cell(x: float, y: float, width: float, height: float, value: float) -> str:
    """Draw one cell of a number between -1 and 1, in one colour above zero and in another below.

    Args:
        x: Its left edge.
        y: Its upper edge.
        width: How far it reaches to the right.
        height: How far it reaches down.
        value: What lies outside of -1 to 1 is cut off.
    """
    return share_cell(x, y, width, height, abs(value), "var(--above)" if value >= 0 else "var(--below)")


def titled(title: str, parts: Sequence[str]) -> str:
    """Join parts of a drawing that say the same when the pointer is over them.

    Args:
        title: What is said.
        parts: SVG text.
    """
    return f"<g><title>{escape(title)}</title>{''.join(parts)}</g>"


def text_at(x: float, y: float, text: str, anchor: str = "start", more: str = "") -> str:
    """Write a text into a drawing.

    Args:
        x: Where it is anchored.
        y: Its baseline.
        text: The text, which is escaped.
        anchor: ``start``, ``middle`` or ``end``.
        more: More attributes, as SVG writes them.
    """
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def drawing(width: float, height: float, parts: Sequence[str]) -> str:
    """Return an SVG element without a size of its own.

    Args:
        width: Of its coordinates.
        height: Of its coordinates.
        parts: What it holds.
    """
    box = f'viewBox="0 0 {width:.0f} {height:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} class="chart" aria-hidden="true">{"".join(parts)}</svg>'
