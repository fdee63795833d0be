"""Which sets of arrays in a file of weights are layers of a cell: one that lacks something is refused, not left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError

FIRST_LAYER = "_l0"
"""What torch writes behind the names of a layer's parameters."""

LayerKey = tuple[str, int | None, bool]
"""The prefix, the number of the layer where the names hold it, and whether it reads backward."""

LayerSets = dict[LayerKey, dict[str, Array]]
"""Arrays by the cell's names, by layer."""


def layers_with_shapes(sets: LayerSets, fits: Callable[[Mapping[str, Array]], bool]) -> LayerSets:
    """Leave out the sets of numbered arrays that are of another kind of layer, such as a dense one.

    Numbers say nothing of what an array is, so its shape decides. A set beside a layer, in a folder of the same name
    with another number, stays whatever its shapes: it is converted or refused.

    Args:
        sets: Those that hold as many arrays as the cell has parameters.
        fits: Says whether arrays have shapes of the cell's parameters.

    Raises:
        UsageError: None of them fits.
    """
    fitting = [key for key, rows in sets.items() if fits(rows)]
    if sets and not fitting:
        sets_found = "; ".join(
            f"{key[0]} {', '.join(str(value.shape) for value in rows.values())}" for key, rows in sets.items()
        )
        raise UsageError(f"the file has no layer with the shapes of the cell's parameters; it has {sets_found}")
    return {key: rows for key, rows in sets.items() if key in fitting or _is_beside(key, fitting)}


def ensure_no_layer_is_incomplete(complete: LayerSets, partial: LayerSets, names: Sequence[str]) -> None:
    """Check that no set of arrays is a layer that lacks a parameter.

    Args:
        complete: The layers that have every parameter.
        partial: What has some of them: an incomplete layer, or another kind of layer whose names are the same.
        names: The parameters of the cell.

    Raises:
        UsageError: A layer is incomplete.
    """
    for key, rows in partial.items():
        beside = _is_beside(key, list(complete)) and (
            key[1] is not None or any(value.ndim > 1 for value in rows.values())
        )
        if not (beside or _has_all_matrices(rows, list(complete.values()))):
            continue
        lacking = ", ".join(_name_in(key, name) for name in names if name not in rows)
        names_held = ", ".join(_name_in(key, name) for name in rows)
        raise UsageError(
            f"{_place(key)} lacks {lacking}, which {', '.join(_place(other) for other in complete)} "
            f"{'has' if len(complete) == 1 else 'have'}; it has {names_held}: give a file in which every layer has "
            "all parameters (zeros for a bias that it does not use), or one without that layer"
        )


def _is_beside(key: LayerKey, layers: Sequence[LayerKey]) -> bool:
    """Whether a set is named as a layer is: by a layer's number, or as one of them but for numbers and direction."""
    return key[1] is not None or _without_numbers(key[0]) in {_without_numbers(layer[0]) for layer in layers}


def _without_numbers(prefix: str) -> str:
    """Return a prefix that is the same for all layers of a stack, and for both directions."""
    return re.sub(r"_?\d+", "", prefix.replace("backward", "forward"))


def _has_all_matrices(rows: Mapping[str, Array], layers: Sequence[Mapping[str, Array]]) -> bool:
    """Whether a set has all of a layer but what is smaller than each matrix, as a bias is.

    A dense layer has a kernel and a bias as a cell has, and no recurrent matrix; an embedding has one matrix.
    """
    for layer in layers:
        shares = len(rows) > 1 and all(value.ndim == layer[name].ndim for name, value in rows.items())
        smallest = min((layer[name].size for name in rows if layer[name].ndim > 1), default=0)
        matrices = [name for name in rows if layer[name].ndim > 1]
        if shares and len(matrices) > 1 and all(layer[name].size < smallest for name in layer if name not in rows):
            return True
    return False


def _name_in(key: LayerKey, name: str) -> str:
    """Return the name of a parameter in a layer, for a cell whose names hold the number of the first."""
    _, layer, is_reverse = key
    return name if layer is None else f"{name.removesuffix(FIRST_LAYER)}_l{layer}{'_reverse' if is_reverse else ''}"


def _place(key: LayerKey) -> str:
    """Name a layer by where it stands in the file."""
    prefix, layer, is_reverse = key
    number = "" if layer is None else f"layer {layer}{', reverse' if is_reverse else ''}"
    return f"{number}{' of ' if number and prefix else ''}{prefix.rstrip('./')}" or "the layer without a prefix"
