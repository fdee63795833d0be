"""A result as a notebook shows it."""

from __future__ import annotations

import html


def html_block(title: str, text: str) -> str:
    """Write a title and a text below it, of which nothing is read as HTML.

    Args:
        title: One line.
        text: Lines, whose spaces count.
    """
    return f"<details open><summary><b>{html.escape(title)}</b></summary><pre>{html.escape(text)}</pre></details>"
