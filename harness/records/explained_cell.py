"""The equations of a third-party cell, with where it keeps each symbol, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CellSymbol:
    """A weight in the equations of a cell.

    Attributes:
        name: Its name in the spec file.
        latex: The same in LaTeX.
        shape: Its shape in letters: n is the input size, d the hidden size.
        places: Where it stands in the target's parameters; several are added.
    """

    name: str
    latex: str
    shape: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class PrintedEquations:
    """The same cell in the notation of a document or of a paper.

    Attributes:
        source: The document, or the paper, that prints it.
        equations: In LaTeX, as they are printed there.
        symbols: Its weights by the names that stand there.
    """

    source: str
    equations: tuple[str, ...]
    symbols: tuple[CellSymbol, ...]


@dataclass(frozen=True)
class ExplainedCell:
    """What a target computes.

    Attributes:
        target: Its name, as it was typed.
        sentence: The cell in words.
        spec: The shipped spec that prints it, with its document; empty if there is none.
        equations: Its equations in LaTeX, in the order in which they are computed.
        symbols: Its weights.
        spec_file: A spec file with these equations, which ``rnn-harness verify`` takes.
        printed: The same in the notation of that document; None where no shipped spec prints just this cell.
        fault: What is wrong with it: the equations are those of the right cell; empty if nothing is.
    """

    target: str
    sentence: str
    spec: str
    equations: tuple[str, ...]
    symbols: tuple[CellSymbol, ...]
    spec_file: str
    printed: PrintedEquations | None = None
    fault: str = ""
