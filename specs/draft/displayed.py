"""The displayed equations of a text in Markdown, LaTeX or plain words, with their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ENVIRONMENTS = "equation|align|gather|eqnarray|multline|displaymath|flalign"
_WRAPPERS = "aligned|split|gathered|alignedat"
_DISPLAYED = re.compile(
    r"\$\$(?P<dollars>.+?)\$\$"
    r"|\\\[(?P<brackets>.+?)\\\]"
    rf"|\\begin\{{(?P<name>{_ENVIRONMENTS}|{_WRAPPERS})(?P<star>\*?)\}}(?P<environment>.+?)\\end\{{(?P=name)(?P=star)\}}"
    r"|^[ \t]*```math\s*\n(?P<fenced>.+?)^[ \t]*```"
    r"|^[ \t]*```[^\n]*\n(?P<code>.+?)^[ \t]*```",
    re.DOTALL | re.MULTILINE,
)
_WRAPPED = re.compile(
    rf"\\(?:begin|end)\{{(?:{_WRAPPERS}|align\*?|gather\*?)\}}|\\begin\{{array\}}\{{[rlc@{{}}|\s]*[rl][rlc@{{}}|\s]*\}}(?=.*?=)",
    re.DOTALL,
)
_PLAIN = re.compile(r"^\s*(?P<plain>[A-Za-z\\][^=\n]{0,40}?=[^=\n].*[_^\\].*)$", re.MULTILINE)
_TIMED_LINE = re.compile(
    r"^[ \t]*(?:\(\d+[a-z]?\)[ \t]*|\d+[.)][ \t]+|[-*][ \t]+|[A-Za-z][\w -]{0,20}:[ \t]+)?"
    r"(?P<plain>[^\W\d](?:[\w~]|[\u0300-\u036f]){0,12}['´]?(?:_\{?t\}?|ₜ|\[t\]|\((?:t|n|k)\))"
    r"[ \t]*=[ \t]*[^=\s].*)$",
    re.MULTILINE,
)
"""A line that gives a symbol at a time: ``h_t = ...``, ``h[t] = ...``, ``x(n) = ...``."""
_LINE_OF_CODE = re.compile(r"^[ \t]*(?P<plain>[A-Za-z]\w{0,12}[ \t]*=[ \t]*[^=\s].*)$", re.MULTILINE)
_PREVIOUS = re.compile(r"\b[A-Za-z]\w*_(?:prev|old)\b|\bprev_\w+")
"""The state before in code that prints no times: ``h_prev``."""
_HEADING = re.compile(
    r"^#{1,6}\s+(?P<markdown>.+?)\s*#*$|\\(?:sub)*(?:section|paragraph)\*?\{(?P<latex>[^{}]*)\}", re.MULTILINE
)
_ROW = re.compile(r"\\\\(?:\[[^\]]*\])?|\\(?P<edge>begin|end)\{(?P<inner>\w+)\*?\}")
_CONTINUED = re.compile(r"[\s&]*(=|\+|-|\\(?:quad|times|cdot|odot|circ|star))")
_NOT_READ = re.compile(r"\\(?:label|tag|nonumber|notag)\b(?:\{[^{}]*\})?")


@dataclass(frozen=True)
class DisplayedEquation:
    """A displayed formula.

    Attributes:
        line: The line on which it begins, from 1.
        text: The LaTeX, as printed.
        section: The heading that it stands under; empty where there is none.
        block: The number of the display that it is a row of.
        is_code: Whether it stands in a block of code or a line of plain text.
    """

    line: int
    text: str
    section: str
    block: int = 0
    is_code: bool = False


def displayed_equations(text: str) -> tuple[DisplayedEquation, ...]:
    r"""Find the displayed formulas of a text, in order.

    Args:
        text: Markdown (``$$...$$``, a block of ``math``, a block of code whose lines give symbols at a time), LaTeX
            (``\[...\]``, ``align`` and others). Where there are no such formulas, every line that gives a symbol at a
            time is taken, or else every line that is an equation in LaTeX's letters.
    """
    formulas = list(_in_displays(text)) or list(_in_lines(text, _pattern_of_code(text)))
    return tuple(formulas or _in_lines(text, _PLAIN))


def _pattern_of_code(text: str) -> re.Pattern[str]:
    """Return what a line of code or plain text looks like that is an equation of a step."""
    without_times = _PREVIOUS.search(text) and not _TIMED_LINE.search(text)
    return _LINE_OF_CODE if without_times else _TIMED_LINE


def text_between(text: str) -> str:
    """Return a document with a full stop in the place of every display.

    Args:
        text: The document.
    """
    return _DISPLAYED.sub(". ", text)


def _in_displays(text: str) -> Iterator[DisplayedEquation]:
    """Yield the displays; of those of several rows, every row that is an equation of its own."""
    for block, match in enumerate(_DISPLAYED.finditer(text)):
        kinds = ("dollars", "brackets", "environment", "fenced", "code")
        form = next(key for key in kinds if match[key] is not None)
        body, start = match[form], match.start(form)
        rows = (
            ((m.start("plain"), m["plain"]) for m in _pattern_of_code(body).finditer(body))
            if form == "code"
            else _rows(body)
        )
        for offset, row in rows:
            if row.strip():
                place = start + offset + len(row) - len(row.lstrip())
                printed = _NOT_READ.sub("", row).strip()
                yield DisplayedEquation(_line(text, place), printed, _section(text, start), block, form == "code")


def _rows(body: str) -> Iterator[tuple[int, str]]:
    """Yield the rows of a display with their offsets: rows without a left side belong to the row before."""
    bare = _WRAPPED.sub(lambda match: " " * len(match[0]), body)
    if bare != body:  # a brace around all rows
        bare = re.sub(r"\\(?:left\s*(?:\\\{|\.)(?=\s*$|\s{8})|right\s*\.\s*$)", lambda m: " " * len(m[0]), bare)
    bare = re.sub(r"^\s*\\label\{[^{}]*\}", lambda match: re.sub(r"\S", " ", match[0]), bare)
    if bare != body:  # the end of a wrapping array has no name of its own
        bare = re.sub(r"\\end\{array\}\s*$", lambda match: " " * len(match[0]), bare)
    rows: list[tuple[int, str]] = []
    start = depth = 0
    for part in (*_ROW.finditer(bare), None):
        if part is not None and part["edge"]:
            depth += 1 if part["edge"] == "begin" else -1
            continue
        if part is not None and depth:
            continue
        stop = len(bare) if part is None else part.start()
        row = bare[start:stop]
        if rows and (_CONTINUED.match(row) or _is_open(rows[-1][1])):
            rows[-1] = (rows[-1][0], bare[rows[-1][0] : stop])
        else:
            rows.append((start, row))
        start = stop if part is None else part.end()
    yield from rows


def _is_open(row: str) -> bool:
    """Say whether a bracket of a row is still to be closed."""
    return any(row.count(opening) > row.count(closing) for opening, closing in ("()", "[]", "{}"))


def _in_lines(text: str, pattern: re.Pattern[str]) -> Iterator[DisplayedEquation]:
    """Yield the lines of a plain text that are equations."""
    for match in pattern.finditer(text):
        block = text.count("\n\n", 0, match.start("plain"))
        line, section = _line(text, match.start("plain")), _section(text, match.start())
        yield DisplayedEquation(line, match["plain"].strip().strip("$"), section, block, True)


def _line(text: str, place: int) -> int:
    """Return the line of a place, from 1."""
    return text.count("\n", 0, place) + 1


def _section(text: str, place: int) -> str:
    """Return the last heading before a place."""
    headings = list(_HEADING.finditer(text[:place]))
    title = headings[-1]["markdown"] or headings[-1]["latex"] or "" if headings else ""
    return re.sub(r"\\q?quad(?![A-Za-z])", " ", title).strip(" *")
