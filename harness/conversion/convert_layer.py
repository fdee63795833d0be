"""The weights of one layer in the layout of another cell, read back and held against what was wanted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_harness.arithmetic.assumptions import UNDERFLOW, UNIT_ROUNDOFF, UPWARD
from rnn_harness.array_types import Array
from rnn_harness.conversion.weight_groups import WeightGroup
from rnn_harness.conversion.weight_map import WeightMap
from rnn_harness.conversion.weight_pair import ConvertedGroup, WeightPair
from rnn_harness.errors import UsageError


def convert_layer(pair: WeightPair, group: WeightGroup) -> ConvertedGroup:
    """Convert one layer; what is lost is told, and the nearest weights take its place.

    Args:
        pair: The two cells.
        group: The weights of the layer.

    Raises:
        UsageError: The weights do not fit together, or the second cell exists for other sizes alone.
    """
    try:
        sizes = pair.left_map.sizes(group.arrays)
        weights_given = pair.left_map.named(group.arrays)
    except ValueError as error:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in group.arrays.items())
        raise UsageError(
            f"{group.title} has {shapes}, which do not fit together as weights of {pair.left.target} ({error}); "
            "expected the parameters of one layer of it"
        ) from None
    fixed = pair.right.sizes
    if fixed is not None and fixed != tuple(sizes):
        raise UsageError(
            f"{pair.right.target} exists for n = {fixed[0]}, d = {fixed[1]} alone; the weights of {group.title} are "
            f"for n = {sizes.input_size}, d = {sizes.hidden_size}"
        )
    lost = pair.transfer.losses(weights_given)
    wanted = pair.convert(pair.transfer.nearest(weights_given) if lost else weights_given, pair.right_map.shapes(sizes))
    dtype = np.result_type(*(value.dtype for value in group.arrays.values()))
    stored = pair.right_map.stored(wanted, np.dtype(dtype))
    back = pair.right_map.named(stored)
    rounding = max(float(np.max(np.abs(back[name] - value))) for name, value in wanted.items())
    fault = _fault_of_stored(pair.right_map, stored, wanted)
    return ConvertedGroup(group, sizes, stored, lost, rounding, fault)


def _fault_of_stored(table: WeightMap, stored: Mapping[str, Array], wanted: Mapping[str, Array]) -> str:
    """Name a weight that differs from what was wanted by more than its format rounds, when it is read back.

    Both targets are run with the weights that they have: of weights in wrong places each would stay within its bounds.
    """
    named = table.named(stored)
    largest = table.named({name: np.abs(value) for name, value in stored.items()})
    format_name = str(np.result_type(*(value.dtype for value in stored.values())))
    for name, value in wanted.items():
        size = np.maximum(largest[name], np.abs(value))
        unit, underflow = float(UNIT_ROUNDOFF[format_name]), float(UNDERFLOW[format_name])
        radius = ((table.summands(name) + 1) * unit * size + underflow) * UPWARD
        if not (np.abs(named[name] - value) <= radius).all():
            return name
    return ""
