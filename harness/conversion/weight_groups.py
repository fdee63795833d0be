"""The layers and directions in a file of weights: every set of arrays that is one cell's parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rnn_harness.array_types import Array
from rnn_harness.conversion.layer_sets import FIRST_LAYER, LayerKey, ensure_no_layer_is_incomplete, layers_with_shapes
from rnn_harness.errors import UsageError


@dataclass(frozen=True)
class WeightGroup:
    """The parameters of one layer in one direction.

    Attributes:
        prefix: What stands before the names in the file, with the point or slash behind it.
        layer: The number of the layer, from 0.
        is_reverse: Whether it reads the sequence backward.
        arrays: By the names of the target's parameters.
    """

    prefix: str
    layer: int
    is_reverse: bool
    arrays: Mapping[str, Array]

    @property
    def title(self) -> str:
        """Which layer it is, in words."""
        return f"layer {self.layer}{', reverse' if self.is_reverse else ''}"


def weight_groups(
    weights: Mapping[str, Array],
    names: Sequence[str],
    is_numbered: bool,
    fits: Callable[[Mapping[str, Array]], bool],
) -> tuple[WeightGroup, ...]:
    """Find every set of arrays that is the parameters of one cell.

    Args:
        weights: Arrays by the names of a file.
        names: The parameters of the cell, in its order.
        is_numbered: Whether the file numbers the weights of a layer, as those of Keras do.
        fits: Says whether arrays, by the names of parameters, have shapes of the cell's; asked of numbered ones.

    Returns:
        The groups, in the order of layers, forward before backward.

    Raises:
        UsageError: There is none, or one lacks a parameter.
    """
    places = _numbered(weights, names) if is_numbered else _named(weights, names)
    complete = {key: rows for key, rows in places.items() if len(rows) == len(names)}
    partial = {key: rows for key, rows in places.items() if len(rows) < len(names)}
    if is_numbered:
        complete = layers_with_shapes(complete, fits)
    if not complete:
        listed = ", ".join(list(weights)[:12])
        lacking = sorted(set(names) - set(next(iter(partial.values()), {})))
        raise UsageError(f"the file has no {', '.join(lacking)}; it has {listed}")
    ensure_no_layer_is_incomplete(complete, partial, names)
    groups = []
    # The layers of a stack have one prefix and numbers, or prefixes of their own in the order of the file.
    for place, (prefix, layer, is_reverse) in enumerate(sorted(complete, key=_order(list(weights), is_numbered))):
        number = layer if layer is not None else _layer_of(place, list(complete))
        groups.append(WeightGroup(prefix, number, is_reverse, complete[prefix, layer, is_reverse]))
    return tuple(groups)


def _layer_of(place: int, keys: Sequence[LayerKey]) -> int:
    """Return the number of a layer whose names hold none: both directions of one layer count once."""
    both = any(key[2] for key in keys)
    return place // 2 if both else place


def _order(names: Sequence[str], is_numbered: bool) -> Callable[[LayerKey], tuple[int, int, bool]]:
    """Return the key by which groups are sorted: by layer, or by their place in the file, forward before backward.

    A file of Keras lists the folders of its layers by the alphabet, lstm_10 before lstm_2.
    """
    listed = sorted(names, key=_with_numbers) if is_numbered else names
    of_both = [_of_both_directions(name) for name in listed]

    def key(group: LayerKey) -> tuple[int, int, bool]:
        prefix, layer, is_reverse = group
        first = next((i for i, name in enumerate(of_both) if name.startswith(_of_both_directions(prefix))), 0)
        return layer or 0, first, is_reverse

    return key


def _with_numbers(name: str) -> tuple[tuple[str, int], ...]:
    """Return a name in parts by which it is sorted: text by the alphabet, numbers by their size."""
    return tuple((text, int(number or -1)) for text, number in re.findall(r"(\D*)(\d*)", name))


def _of_both_directions(name: str) -> str:
    """Return a name that is the same for both directions of a layer."""
    return name.replace("backward", "forward")


def _named(weights: Mapping[str, Array], names: Sequence[str]) -> dict[LayerKey, dict[str, Array]]:
    """Group arrays by what stands before and behind the names of parameters."""
    groups: dict[LayerKey, dict[str, Array]] = {}
    for stored, value in weights.items():
        for name in names:
            stem = name.removesuffix(FIRST_LAYER)
            layered = r"_l(\d+)(_reverse)?" if stem != name else "()()"
            pattern = rf"(|.*[./]){_separators(stem)}{layered}"
            match = re.fullmatch(pattern, stored)
            if match is not None:
                prefix, layer, reverse = match.groups()
                is_reverse = bool(reverse) or "backward" in prefix
                groups.setdefault((prefix, int(layer) if layer else None, is_reverse), {})[name] = value
    return groups


def _separators(name: str) -> str:
    """Return the pattern of a name whose parts may be joined by points or slashes."""
    return "[./]".join(re.escape(part) for part in re.split(r"[./]", name))


def _numbered(weights: Mapping[str, Array], names: Sequence[str]) -> dict[LayerKey, dict[str, Array]]:
    """Group the numbered weights of Keras by the layer that holds them; one with more than the cell has is another."""
    folders: dict[str, dict[int, Array]] = {}
    for stored, value in weights.items():
        match = re.fullmatch(r"(.*/)?vars/(\d+)", stored)
        if match is not None and "optimizer" not in stored:
            folders.setdefault(match[1] or "", {})[int(match[2])] = value
    return {
        (prefix, None, "backward_layer" in prefix): {names[number]: rows[number] for number in sorted(rows)}
        for prefix, rows in folders.items()
        if max(rows) < len(names)
    }


def output_name(name: str, group: WeightGroup, groups: Sequence[WeightGroup]) -> str:
    """Return the name under which a parameter of a layer is written.

    Args:
        name: The target's name of the parameter.
        group: The layer.
        groups: All layers.
    """
    if name.endswith(FIRST_LAYER):
        suffix = f"_l{group.layer}{'_reverse' if group.is_reverse else ''}"
        prefix = group.prefix if group.prefix.endswith(".") else ""
        return f"{prefix}{name.removesuffix(FIRST_LAYER)}{suffix}"
    if len(groups) == 1:
        return name
    separator = "/" if "/" in name else "."
    return f"layer{group.layer}{separator}{'reverse' + separator if group.is_reverse else ''}{name}"


def keras_name(place: int, layer_class: str, group: WeightGroup, groups: Sequence[WeightGroup]) -> str:
    """Return the name under which Keras looks for a weight of a layer in a sequential model.

    Args:
        place: The number of the weight in the layer.
        layer_class: The name of the layer's class, such as ``LSTM``.
        group: The layer.
        groups: All layers.
    """
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", layer_class).lower().replace("simplernn", "simple_rnn")
    number = f"_{group.layer}" if group.layer else ""
    if any(other_group.is_reverse for other_group in groups):
        direction = "backward_layer" if group.is_reverse else "forward_layer"
        return f"layers/bidirectional{number}/{direction}/cell/vars/{place}"
    return f"layers/{snake}{number}/cell/vars/{place}"
