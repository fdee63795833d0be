"""Arrays of a file that are no parameters of the cell: those inside a layer are refused, those outside are told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rnn_harness.array_types import Array
from rnn_harness.conversion.layer_sets import FIRST_LAYER
from rnn_harness.conversion.weight_groups import WeightGroup
from rnn_harness.errors import UsageError

_LAYER = re.compile(r"_l\d+(_reverse)?")
MOST_NAMES = 8
"""As many names are listed."""


def arrays_left_out(
    weights: Mapping[str, Array],
    groups: Sequence[WeightGroup],
    target: str,
    names: Sequence[str],
    without_influence: Sequence[str] = (),
) -> tuple[str, ...]:
    """List the arrays of a file that are converted to nothing, such as those of an embedding or a head.

    Args:
        weights: All arrays by the names of the file.
        groups: The layers, whose arrays are those of `weights`.
        target: The cell that has the weights.
        names: The cell's own parameters.
        without_influence: Those parameters of its class that its outputs do not depend on.

    Returns:
        Names with shapes, in the order of the file.

    Raises:
        UsageError: An array stands among those of a layer: the cell that made the file computes something with it.
    """
    used = {id(value) for group in groups for value in group.arrays.values()}
    remaining = [name for name, value in weights.items() if id(value) not in used]
    inside = [name for name in remaining if _layer_of(name, groups, names) and _last(name) not in without_influence]
    if inside:
        listed = ", ".join(f"{name} {weights[name].shape}" for name in inside[:MOST_NAMES])
        raise UsageError(
            f"the file has {listed} among the weights of {_layer_of(inside[0], groups, names)}, for which {target} has "
            f"no parameter (it has {', '.join(names)}): name the class, and with --init the options, that made the file"
        )
    return tuple(f"{name} {weights[name].shape}" for name in remaining)


def _layer_of(name: str, groups: Sequence[WeightGroup], names: Sequence[str]) -> str:
    """Return the title of the layer among whose arrays a name stands; empty if there is none."""
    is_numbered = any(parameter.endswith(FIRST_LAYER) for parameter in names)
    for group in groups:
        remaining = name.removeprefix(group.prefix)
        if not name.startswith(group.prefix) or re.search(r"[./]", remaining):
            continue
        suffix = f"_l{group.layer}{'_reverse' if group.is_reverse else ''}"
        if not is_numbered or _LAYER.sub("", remaining) == remaining.removesuffix(suffix) != remaining:
            return group.title
    return ""


def _last(name: str) -> str:
    """Return the last part of a name, without the number of a layer."""
    return _LAYER.sub("", re.split(r"[./]", name)[-1])
