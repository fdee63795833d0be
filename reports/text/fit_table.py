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
    """How a column gives way where there is little room.

    Attributes:
        name: Its heading.
        right: Whether its texts stand on the right, as numbers do.
        least: The number of characters down to which it may shrink; None for the width of its longest text.
        cut: Whether what does not fit ends with an ellipsis, and the column is left out where there is no room; else
            texts are folded at their words.
        short: Its heading where there is little room.
    """

    name: str
    right: bool = False
    least: int | None = None
    cut: bool = False
    short: str = ""


@dataclass(frozen=True)
class _Layout:
    """A way to draw a table.

    Attributes:
        columns: The columns that are drawn.
        headings: The heading of each column.
        rows: Their texts.
        is_slim: Whether it is drawn without a frame.
    """

    columns: Sequence[Column]
    headings: Sequence[str]
    rows: Sequence[Sequence[Text]]
    is_slim: bool

    @property
    def frame_width(self) -> int:
        """The number of characters that lines and padding take."""
        gaps = len(self.columns) - 1
        return 2 * gaps if self.is_slim else 3 * gaps + 2


def print_table(console: Console, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Print a table in the first of these forms that fits: framed, slim, without columns that may be cut, row by row.

    Lines are drawn on a terminal alone.

    Args:
        console: The terminal.
        title: What stands above it; empty for nothing.
        columns: Its columns; the first names a row.
        rows: A text for each column.
    """
    if title:
        console.print(Text(title, style="italic"))
    texts = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    for layout in _layouts(columns, texts):
        widths = _fitting_widths(layout, console.width - layout.frame_width)
        if widths is not None:
            console.print(_rich_table(layout, widths, console.is_terminal))
            return
    for row in texts:
        _print_row(console, columns, row)


def _layouts(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> Iterator[_Layout]:
    """Yield the forms of a table, the widest first."""
    for drops_cut, is_slim in ((False, False), (False, True), (True, False), (True, True)):
        shown = [index for index, column in enumerate(columns) if not (drops_cut and column.cut)]
        shown_columns = [columns[index] for index in shown]
        headings = [column.short if is_slim and column.short else column.name for column in shown_columns]
        yield _Layout(shown_columns, headings, [[row[index] for index in shown] for row in rows], is_slim)


def _fitting_widths(layout: _Layout, room: int) -> list[int] | None:
    """Return a width for every column; None if they do not fit into `room` characters."""
    widths, floors = [], []
    for index, column in enumerate(layout.columns):
        texts = [layout.headings[index], *(row[index].plain for row in layout.rows)]
        width = max(cell_len(line) for text in texts for line in text.split("\n"))
        word = min(LONGEST_WORD, max((cell_len(word) for text in texts for word in text.split()), default=0))
        widths.append(width)
        floors.append(_least_width(column, width, word))
    while sum(widths) > room:
        shrinkable = [index for index, width in enumerate(widths) if width > floors[index]]
        if not shrinkable:
            return None
        widths[max(shrinkable, key=lambda index: (layout.columns[index].cut, widths[index]))] -= 1
    return widths


def _least_width(column: Column, width: int, word: int) -> int:
    """Return the width down to which a column may shrink, from that of its longest text and of its longest word."""
    if column.least is None:
        return width
    return min(width, column.least if column.cut else max(column.least, word))


def _rich_table(layout: _Layout, widths: Sequence[int], has_lines: bool) -> Table:
    """Return the table with the widths of its columns."""
    if not has_lines:
        table = Table(header_style="bold", pad_edge=False, padding=(0, 2, 0, 0), box=None)
    elif layout.is_slim:
        table = Table(header_style="bold", pad_edge=False, padding=(0, 1, 0, 0), box=box.SIMPLE_HEAD, show_edge=False)
    else:
        table = Table(header_style="bold", pad_edge=False)
    for column, heading, width in zip(layout.columns, layout.headings, widths, strict=True):
        table.add_column(
            heading,
            width=width,
            no_wrap=column.cut,
            overflow="ellipsis" if column.cut else "fold",
            justify="right" if column.right else "left",
        )
    for row in layout.rows:
        table.add_row(*row)
    return table


def _print_row(console: Console, columns: Sequence[Column], row: Sequence[Text]) -> None:
    """Print the first text, and below it every other with its heading, as many on a line as there is room for."""
    if row[0].plain:
        console.print(row[0], style="bold", soft_wrap=True)
    for line in _packed_lines(columns[1:], row[1:], console.width - 2):
        console.print(Padding.indent(line, 2))


def _packed_lines(columns: Sequence[Column], row: Sequence[Text], room: int) -> Iterator[Text]:
    """Yield lines of at most `room` characters, if they can be, of texts with their headings."""
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
