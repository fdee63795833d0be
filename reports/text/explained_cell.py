"""The equations of a cell as text, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.records.explained_cell import CellSymbol, ExplainedCell


def explained_text(cell: ExplainedCell) -> str:
    """Write the equations of a cell for a terminal.

    Args:
        cell: What it computes.
    """
    return "\n".join(_text_lines(cell)) + "\n"


def _text_lines(cell: ExplainedCell) -> Iterator[str]:
    yield f"{cell.target}: {cell.sentence}"
    if cell.fault:
        yield "  The equations are those of the right cell."
    if cell.spec:
        yield f"  printed by {cell.spec}"
    yield ""
    yield from (f"  {equation}" for equation in cell.equations)
    yield ""
    width = max((len(symbol.name) for symbol in cell.symbols), default=0)
    shapes = max((len(symbol.shape) for symbol in cell.symbols), default=0)
    for symbol in cell.symbols:
        yield f"  {symbol.name.ljust(width)}  {symbol.shape.ljust(shapes)}  {_places(symbol)}".rstrip()


def explained_markdown(cell: ExplainedCell) -> str:
    """Write the equations of a cell as Markdown.

    Args:
        cell: What it computes.
    """
    return "\n".join(_markdown_lines(cell)) + "\n"


def _markdown_lines(cell: ExplainedCell) -> Iterator[str]:
    yield f"# `{cell.target}`"
    yield ""
    yield f"{_escaped(cell.sentence)}.{' The equations are those of the right cell.' if cell.fault else ''}"
    if cell.spec:
        yield ""
        yield f"Printed by {_escaped(cell.spec)}."
    for equation in cell.equations:
        yield ""
        yield f"$${equation}$$"
    yield ""
    yield "| symbol | shape | where it stands |"
    yield "|---|---|---|"
    for symbol in cell.symbols:
        yield f"| ${symbol.latex}$ | {symbol.shape} | {_escaped(_places(symbol))} |"


def explained_latex(cell: ExplainedCell) -> str:
    """Write the equations of a cell as LaTeX.

    Args:
        cell: What it computes.
    """
    rows = " \\\\\n".join(f"  {equation.replace('=', '&=', 1)}" for equation in cell.equations)
    comments = [f"% {line}" for line in (f"{cell.target}: {cell.sentence}", *_symbol_lines(cell))]
    return "\n".join([*comments, r"\begin{align}", rows, r"\end{align}"]) + "\n"


def _symbol_lines(cell: ExplainedCell) -> Iterator[str]:
    yield from (f"{symbol.name} ({symbol.shape}): {_places(symbol)}" for symbol in cell.symbols)


def _places(symbol: CellSymbol) -> str:
    return " + ".join(symbol.places)


def _escaped(text: str) -> str:
    """Let nothing of a text be read as a part of the page."""
    return text.replace("|", "\\|").replace("<", "&lt;")
