"""Weights of cells of one of the three families, whose maps are found from their features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.relation import Relation
from rnn_harness.comparison.stored_weights import stored_weights
from rnn_harness.conversion.convert_weights import (
    losses,
    named_weights,
    nearest_weights,
    reference_shapes,
    weight_sizes,
)
from rnn_harness.errors import NotRun, named_error
from rnn_harness.records.parameter_map_file import MapFile
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.parameter_blocks import BlockMap
from rnn_harness.validation.identification.saved_map import from_map_file


@dataclass(frozen=True)
class FamilyWeights:
    """Where a cell of a family keeps its weights.

    Attributes:
        table: Which block of its parameters is which parameter of the reference.
    """

    table: BlockMap

    @property
    def parameters(self) -> tuple[str, ...]:
        """The cell's parameters, in its order."""
        return tuple(name for name, _ in self.table.forms)

    def sizes(self, weights: Mapping[str, Array]) -> CellSizes:
        """Read the sizes off the shapes of weights.

        Args:
            weights: Arrays by the cell's names.
        """
        return weight_sizes(self.table, weights)

    def named(self, weights: Mapping[str, Array]) -> dict[str, Array]:
        """Read weights as those of the equations, in float64; what stands in several places is added.

        Args:
            weights: Arrays by the cell's names.
        """
        return named_weights(self.table, weights)

    def stored(self, named: Mapping[str, Array], dtype: np.dtype[np.generic]) -> dict[str, Array]:
        """Write weights of the equations as the cell stores them.

        Args:
            named: Arrays by the names of the equations.
            dtype: The format in which they are stored.
        """
        return stored_weights(self.table, named, dtype)

    def shapes(self, sizes: CellSizes) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters of the equations.

        Args:
            sizes: n and d.
        """
        return reference_shapes(self.table, sizes)

    def summands(self, name: str) -> int:
        """Count the places whose numbers are added to a parameter.

        Args:
            name: The parameter, by the name of the equations.
        """
        return sum(block.name == name for block in self.table.blocks)


def family_weights(description: CellDescription) -> FamilyWeights:
    """Return where a cell of a family keeps its weights.

    Args:
        description: What its process said of it.

    Raises:
        NotRun: That is no map.
    """
    try:
        return FamilyWeights(from_map_file(MapFile.model_validate_json(description.map)).assignment.table)
    except (ValueError, TypeError, KeyError) as error:
        raise NotRun(f"{description.target}: its process sent no parameter map ({named_error(error)})") from None


@dataclass(frozen=True)
class FamilyTransfer:
    """How weights go over between two cells of one family.

    Attributes:
        relation: The rules, and what must hold for the weights of the first cell.
    """

    relation: Relation

    def losses(self, named: Mapping[str, Array]) -> tuple[str, ...]:
        """List what the second cell cannot represent of given weights, with the size of it.

        Args:
            named: The weights by the names of the equations.
        """
        lost = losses(self.relation, named)
        return tuple(f"{loss.condition.sentence}: broken by up to {loss.size:.3g}" for loss in lost)

    def nearest(self, named: Mapping[str, Array]) -> dict[str, Array]:
        """Return the nearest weights that the second cell can represent.

        Args:
            named: The weights by the names of the equations.
        """
        return nearest_weights(self.relation, named)
