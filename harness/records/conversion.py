"""What became of weights that were to go from one cell to another, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ConversionOutcome = Literal["converted", "nearest", "refused", "undecided"]


@dataclass(frozen=True)
class ConvertedLayer:
    """One layer in one direction.

    Attributes:
        title: Which layer.
        sizes: Its input size and hidden size, in words.
        lost: What the second cell cannot represent, with the size of the loss; empty where nothing is lost.
        rounding: The largest number that the format of the file rounds away; 0 where all is exact.
        output_gap: The largest difference of the outputs of both on a drawn sequence; None where it was not run.
        is_checked: Whether the outputs of both lie within the bounds of their equations.
        note: Why it was not checked, or which outputs are beyond their bound; empty if all is well.
    """

    title: str
    sizes: str
    lost: tuple[str, ...] = ()
    rounding: float = 0.0
    output_gap: float | None = None
    is_checked: bool = False
    note: str = ""


@dataclass(frozen=True)
class Conversion:
    """Weights of one cell in the layout of another.

    Attributes:
        outcome: ``converted``; ``nearest`` where something was lost and may be; ``refused`` where something would be
            lost; ``undecided`` where it is not known what one of them is, or a check failed. Only the first two write.
        sentence: What happened, in one sentence.
        left: The first target.
        right: The second target.
        layers: The layers, in the order of the file.
        left_out: Arrays of the file, with their shapes, that are no part of a layer and go nowhere.
        map: How the weights follow, one line for each.
        code: A program that converts any such weights without this package; empty where none was made.
    """

    outcome: ConversionOutcome
    sentence: str
    left: str
    right: str
    layers: tuple[ConvertedLayer, ...] = ()
    left_out: tuple[str, ...] = ()
    map: tuple[str, ...] = ()
    code: str = ""
