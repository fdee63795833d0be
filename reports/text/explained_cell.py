"""The equations of a cell as text, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    yield from _symbol_table(cell.symbols)
    if cell.printed is not None:
        yield ""
        yield f"  As {cell.printed.source} prints it:"
        yield ""
        yield from (f"  {equation}" for equation in cell.printed.equations)
        yield ""
        yield from _symbol_table(cell.printed.symbols)


def _symbol_table(symbols: Sequence[CellSymbol]) -> Iterator[str]:
    """Write symbols one below the other, with their shapes and where they stand."""
    width = max((len(symbol.name) for symbol in symbols), default=0)
    shapes = max((len(symbol.shape) for symbol in symbols), default=0)
    for symbol in symbols:
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
    yield from _markdown_equations(cell.equations, cell.symbols)
    if cell.printed is not None:
        yield ""
        yield f"As {_escaped(cell.printed.source)} prints it:"
        yield from _markdown_equations(cell.printed.equations, cell.printed.symbols)


def _markdown_equations(equations: Sequence[str], symbols: Sequence[CellSymbol]) -> Iterator[str]:
    """Write formulas and the table of their symbols."""
    for equation in equations:
        yield ""
        yield f"$${equation}$$"
    yield ""
    yield "| symbol | shape | where it stands |"
    yield "|---|---|---|"
    for symbol in symbols:
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
