"""Tables that fit a terminal: what names a row, and what is said of it, is never cut; long texts give way first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

Cell = str | Text
"""A text as it is: brackets in it are no markup."""
LONGEST_WORD = 24
"""A word of more characters may be broken."""


@dataclass(frozen=True)
class Column:
    """Never narrower than what it holds, unless `least` says down to how many characters.

    `cut`: it then ends with an ellipsis, and is left out where there is no room; else it is folded at its words.
    `short`: its name where there is little room.
    """

    name: str
    right: bool = False
    least: int | None = None
    cut: bool = False
    short: str = ""


def print_table(console: Console, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """As a table in a frame, in a slight one, without what may be left out, or row by row: the first that fits."""
    if title:
        console.print(Text(title, style="italic"))
    texts = [[Text(one) if isinstance(one, str) else one for one in row] for row in rows]
    for bare, slight in ((False, False), (False, True), (True, False), (True, True)):
        kept = [i for i, column in enumerate(columns) if not (bare and column.cut)]
        names = [columns[i].short if slight and columns[i].short else columns[i].name for i in kept]
        own = [columns[i] for i in kept]
        frame = 2 * (len(kept) - 1) if slight else 3 * (len(kept) - 1) + 2
        widths = _widths(own, names, [[row[i] for i in kept] for row in texts], console.width - frame)
        if widths is not None:
            _print(console, own, names, widths, [[row[i] for i in kept] for row in texts], slight)
            return
    for row in texts:
        _print_row(console, columns, row)


def _widths(
    columns: Sequence[Column], names: Sequence[str], rows: Sequence[Sequence[Text]], room: int
) -> list[int] | None:
    """A width for every column; None if they do not fit."""
    held = [[Text(name), *(row[i] for row in rows)] for i, name in enumerate(names)]
    widths = [max(cell_len(line) for text in own for line in text.plain.split("\n")) for own in held]
    words = [
        min(LONGEST_WORD, max((cell_len(word) for text in own for word in text.plain.split()), default=0))
        for own in held
    ]
    floors = [
        width if column.least is None else min(width, column.least if column.cut else max(column.least, word))
        for column, width, word in zip(columns, widths, words, strict=True)
    ]
    while sum(widths) > room:
        loose = [i for i, width in enumerate(widths) if width > floors[i]]
        if not loose:
            return None
        widths[max(loose, key=lambda i: (columns[i].cut, widths[i]))] -= 1
    return widths


def _print(
    console: Console,
    columns: Sequence[Column],
    names: Sequence[str],
    widths: Sequence[int],
    rows: Sequence[Sequence[Text]],
    slight: bool,
) -> None:
    if slight:
        made = Table(header_style="bold", pad_edge=False, padding=(0, 1, 0, 0), box=box.SIMPLE_HEAD, show_edge=False)
    else:
        made = Table(header_style="bold", pad_edge=False)
    for column, name, width in zip(columns, names, widths, strict=True):
        made.add_column(
            name,
            width=width,
            no_wrap=column.cut,
            overflow="ellipsis" if column.cut else "fold",
            justify="right" if column.right else "left",
        )
    for row in rows:
        made.add_row(*row)
    console.print(made)


def _print_row(console: Console, columns: Sequence[Column], row: Sequence[Text]) -> None:
    """The first column's text, and below it every other with its name, as many on a line as there is room for."""
    if row[0].plain:
        console.print(row[0], style="bold", soft_wrap=True)
    for line in _packed(columns[1:], row[1:], console.width - 2):
        console.print(Padding.indent(line, 2))


def _packed(columns: Sequence[Column], row: Sequence[Text], room: int) -> Iterator[Text]:
    line = Text()
    for column, text in zip(columns, row, strict=True):
        if not text.plain.strip():
            continue
        piece = Text.assemble((f"{column.name} ", "dim") if column.name else "", text)
        if line and cell_len(line.plain) + 2 + cell_len(piece.plain) > room:
            yield line
            line = Text()
        line = Text.assemble(line, "  ", piece) if line else piece
    if line:
        yield line
