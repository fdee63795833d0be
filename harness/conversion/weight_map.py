"""What a conversion needs to know of a cell: where it keeps its weights, and what the other cannot represent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.validation.cells.capabilities import CellSizes


class WeightMap(Protocol):
    """Where a cell keeps its weights."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The cell's parameters, in its order."""

    def sizes(self, weights: Mapping[str, Array]) -> CellSizes:
        """Read the sizes off the shapes of weights.

        Args:
            weights: Arrays by the cell's names.

        Raises:
            ValueError: The shapes do not say it.
        """

    def named(self, weights: Mapping[str, Array]) -> dict[str, Array]:
        """Read weights as those of the equations, in float64.

        Args:
            weights: Arrays by the cell's names.

        Raises:
            ValueError: Their shapes do not fit together.
        """

    def stored(self, named: Mapping[str, Array], dtype: np.dtype[np.generic]) -> dict[str, Array]:
        """Write weights of the equations as the cell stores them.

        Args:
            named: Arrays by the names of the equations.
            dtype: The format in which they are stored.
        """

    def shapes(self, sizes: CellSizes) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters of the equations.

        Args:
            sizes: n and d.
        """

    def summands(self, name: str) -> int:
        """Count the places whose numbers are added to a parameter of the equations.

        Args:
            name: The parameter.
        """


class Transfer(Protocol):
    """What the second of two cells cannot represent of weights of the first."""

    def losses(self, named: Mapping[str, Array]) -> tuple[str, ...]:
        """List what is lost, with the size of it; nothing where all weights can be represented.

        Args:
            named: The weights by the names of the equations.
        """

    def nearest(self, named: Mapping[str, Array]) -> dict[str, Array]:
        """Return the nearest weights that can be represented.

        Args:
            named: The weights by the names of the equations.
        """


def have_shapes_of(table: WeightMap, weights: Mapping[str, Array]) -> bool:
    """Say whether arrays have shapes that the parameters of a cell have together.

    Args:
        table: Where the cell keeps its weights.
        weights: An array for each of its parameters.
    """
    try:
        again = table.stored(table.named(weights), np.dtype(np.float64))
    except (ValueError, IndexError, ZeroDivisionError):  # of arrays with too few axes, or none of the sizes
        return False
    return all(again[name].shape == value.shape for name, value in weights.items())
