"""Two targets whose relation is proved, and the weights of a layer before and after they went from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rnn_harness.array_types import Array
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.conversion.weight_groups import WeightGroup
from rnn_harness.conversion.weight_map import Transfer, WeightMap
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.request import DTYPES


@dataclass(frozen=True)
class ConvertedGroup:
    """The weights of a layer before and after.

    Attributes:
        group: The layer.
        sizes: Its input size and its hidden size.
        stored: The second target's weights, as they are written.
        lost: What was lost, in words.
        rounding: The largest number that the format rounded away.
        fault: The weight that is not what was wanted when it is read back; empty if they all are.
    """

    group: WeightGroup
    sizes: CellSizes
    stored: Mapping[str, Array]
    lost: tuple[str, ...]
    rounding: float
    fault: str


@dataclass(frozen=True)
class WeightPair:
    """Two targets whose relation is proved.

    Attributes:
        left: What the first is.
        right: What the second is.
        left_map: Where the first keeps its weights.
        right_map: Where the second keeps its.
        transfer: What the second cannot represent of the first's weights.
        convert: Makes weights of the second, of given shapes, of those of the first that it can represent.
        lines: How the weights follow, in lines to read.
    """

    left: CellDescription
    right: CellDescription
    left_map: WeightMap
    right_map: WeightMap
    transfer: Transfer
    convert: Callable[[Mapping[str, Array], Mapping[str, tuple[int, ...]]], dict[str, Array]]
    lines: tuple[str, ...]

    @property
    def dtype(self) -> str | None:
        """The widest dtype that both take; None if there is none."""
        return next((d for d in DTYPES if d in self.left.dtypes and d in self.right.dtypes), None)
