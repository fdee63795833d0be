"""The displayed equations of a text in Markdown, LaTeX or plain words, with their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ENVIRONMENTS = "equation|align|gather|eqnarray|multline|displaymath"
_DISPLAYED = re.compile(
    r"\$\$(?P<dollars>.+?)\$\$"
    r"|\\\[(?P<brackets>.+?)\\\]"
    rf"|\\begin\{{(?P<name>{_ENVIRONMENTS})(?P<star>\*?)\}}(?P<environment>.+?)\\end\{{(?P=name)(?P=star)\}}"
    r"|^```math\s*\n(?P<fenced>.+?)^```",
    re.DOTALL | re.MULTILINE,
)
_PLAIN = re.compile(r"^\s*(?P<plain>[A-Za-z\\][^=\n]{0,40}?=[^=\n].*[_^\\].*)$", re.MULTILINE)
_HEADING = re.compile(
    r"^#{1,6}\s+(?P<markdown>.+?)\s*#*$|\\(?:sub)*(?:section|paragraph)\*?\{(?P<latex>[^{}]*)\}", re.MULTILINE
)
_ROW = re.compile(r"\\\\(?:\[[^\]]*\])?")
_NOT_READ = re.compile(r"\\(?:label|tag|nonumber|notag)\b(?:\{[^{}]*\})?")


@dataclass(frozen=True)
class DisplayedEquation:
    """A displayed formula.

    Attributes:
        line: The line on which it begins, from 1.
        text: The LaTeX, as printed.
        section: The heading that it stands under; empty where there is none.
    """

    line: int
    text: str
    section: str


def displayed_equations(text: str) -> tuple[DisplayedEquation, ...]:
    r"""Find the displayed formulas of a text, in order.

    Args:
        text: Markdown (``$$...$$``, a block of ``math``), LaTeX (``\[...\]``, ``align`` and others). Where there are no
            such formulas, every line that is an equation in LaTeX's letters is taken.
    """
    formulas = list(_in_displays(text)) or list(_in_lines(text))
    return tuple(formulas)


def _in_displays(text: str) -> Iterator[DisplayedEquation]:
    """Yield the displays; of those of several rows, every row that is an equation of its own."""
    for match in _DISPLAYED.finditer(text):
        kind = next(key for key in ("dollars", "brackets", "environment", "fenced") if match[key] is not None)
        body, start = match[kind], match.start(kind)
        for offset, row in _rows(body):
            if row.strip():
                place = start + offset + len(row) - len(row.lstrip())
                yield DisplayedEquation(_line(text, place), _NOT_READ.sub("", row).strip(), _section(text, start))


def _rows(body: str) -> Iterator[tuple[int, str]]:
    """Yield the rows of a display with their offsets: rows without a left side belong to the row before."""
    if "\\begin{" in body and "aligned" not in body and "split" not in body:
        yield 0, body
        return
    rows: list[tuple[int, str]] = []
    start = 0
    for part in (*_ROW.finditer(body), None):
        stop = len(body) if part is None else part.start()
        row = body[start:stop]
        if rows and re.match(r"[\s&]*(=|\+|-|\\(?:quad|times|cdot|odot|circ|star))", row):
            rows[-1] = (rows[-1][0], body[rows[-1][0] : stop])
        else:
            rows.append((start, row))
        start = stop if part is None else part.end()
    yield from rows if len(rows) > 1 and "\\begin{" not in body else [(0, body)]


def _in_lines(text: str) -> Iterator[DisplayedEquation]:
    """Yield the lines of a plain text that are equations."""
    for match in _PLAIN.finditer(text):
        yield DisplayedEquation(
            _line(text, match.start("plain")), match["plain"].strip().strip("$"), _section(text, match.start())
        )


def _line(text: str, place: int) -> int:
    """Return the line of a place, from 1."""
    return text.count("\n", 0, place) + 1


def _section(text: str, place: int) -> str:
    """Return the last heading before a place."""
    headings = list(_HEADING.finditer(text[:place]))
    return (headings[-1]["markdown"] or headings[-1]["latex"] or "").strip(" *") if headings else ""
