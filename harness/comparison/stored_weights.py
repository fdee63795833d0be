"""The weights of equations in the places in which a target stores them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.validation.cells.parameter_blocks import BlockMap


def stored_weights(table: BlockMap, weights: Mapping[str, Array], dtype: np.dtype[np.generic]) -> dict[str, Array]:
    """Write weights as a target stores them: of a sum, the first place takes all and the others are zero.

    Args:
        table: The map of the target.
        weights: Arrays by the names of its equations.
        dtype: The format in which they are stored.
    """
    first = {block.name: block for block in reversed(table.blocks)}
    places = tuple(block for block in table.blocks if first[block.name] is block)
    packed = replace(table, blocks=places).pack(weights)
    forms, d = dict(table.forms), next(iter(weights.values())).shape[0]
    for block in table.blocks:
        if block.parameter not in packed:  # every block of it has its sum in another place
            packed[block.parameter] = forms[block.parameter].stored(np.zeros(block.of * d))
    order = dict.fromkeys(block.parameter for block in table.blocks)
    return {name: np.asarray(packed[name], dtype, order="C") for name in order}
