"""What a backward leaves behind: the arrays that it returns, and those that it changes in attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.validation.loading.adapters.handwritten.forward_way import result_entries

Origin = Literal["returned", "attribute", "increase"]
_CONTAINERS = ("grads", "gradients", "grad", "dparams", "derivatives")


class EntryKey(NamedTuple):
    """Where a gradient is.

    Attributes:
        origin: ``returned``, the value of an ``attribute``, or the ``increase`` of an attribute.
        path: The positions and keys, or the path of the attribute.
    """

    origin: Origin
    path: tuple[str, ...]


@dataclass(frozen=True)
class GradientEntry:
    """An array that may be a gradient.

    Attributes:
        key: Where it is.
        name: What it is called; empty if it has no name.
        value: The array.
        in_container: Whether it stands in a dictionary or list of gradients, so that its name may be a parameter's.
    """

    key: EntryKey
    name: str
    value: Array
    in_container: bool

    @property
    def is_returned(self) -> bool:
        """Whether it is returned."""
        return self.key.origin == "returned"


def gradient_entries(
    returned: object, before: Mapping[str, Array], after: Mapping[str, Array], names: Sequence[str]
) -> list[GradientEntry]:
    """List what a backward leaves behind.

    Args:
        returned: What it returned.
        before: Copies of the arrays of its object before the call, by path.
        after: Those after it.
        names: The names in its return statement.
    """
    entries = [
        _returned_entry(path, value, returned, names)
        for path, value in sorted(result_entries(returned).items(), key=lambda item: len(item[0]))
    ]
    twins = _twins_of_parameters(before, after)
    for path, value in after.items():
        if value.dtype.kind != "f" or (path in before and np.array_equal(before[path], value, equal_nan=True)):
            continue
        parts = tuple(path.split("/"))
        in_container = any(part.strip("_") in _CONTAINERS for part in parts[:-1]) or parts[:-1] in twins
        name = parts[-1]
        origins: tuple[Origin, ...] = ("attribute",)
        if path in before and before[path].shape == value.shape and before[path].any():
            origins = ("attribute", "increase")
        for origin in origins:
            change = value - before[path] if origin == "increase" else value
            entries.append(GradientEntry(EntryKey(origin, parts), name, change, in_container))
    return entries


def _twins_of_parameters(before: Mapping[str, Array], after: Mapping[str, Array]) -> set[tuple[str, ...]]:
    """Find the containers that were written to and hold what another one holds, name by name and shape by shape.

    Gradients are kept so, whatever their container is called: ``self.g`` beside ``self.p``.
    """
    shapes: dict[tuple[str, ...], dict[str, tuple[int, ...]]] = {}
    written: dict[tuple[str, ...], bool] = {}
    for path, value in after.items():
        *holder, name = path.split("/")
        shapes.setdefault(tuple(holder), {})[name] = value.shape
        is_new = path not in before or not np.array_equal(before[path], value, equal_nan=True)
        written[tuple(holder)] = written.get(tuple(holder), False) or is_new
    unwritten = [table for holder, table in shapes.items() if not written[holder] and len(table) > 1]
    return {holder for holder, table in shapes.items() if written[holder] and holder and table in unwritten}


def _returned_entry(path: tuple[str, ...], value: Array, returned: object, names: Sequence[str]) -> GradientEntry:
    """What stands at a place of what is returned."""
    last = path[-1] if path else ""
    if last and not last.isdigit():
        return GradientEntry(EntryKey("returned", path), last, value, True)
    is_single = not path and len(names) == 1
    by_place = len(path) == 1 and isinstance(returned, tuple | list) and len(names) == len(returned)
    name = names[0] if is_single else names[int(last)] if by_place else ""
    return GradientEntry(EntryKey("returned", path), name, value, False)


def read_gradient(
    key: EntryKey, returned: object, before: Mapping[str, Array], after: Mapping[str, Array]
) -> Array | None:
    """Read a gradient from where it was found in a trial; None if nothing is there.

    Args:
        key: Where it is.
        returned: What backward returned.
        before: Copies of the arrays of its object before the call, by path.
        after: Those after it.
    """
    if key.origin == "returned":
        return result_entries(returned).get(key.path)
    path = "/".join(key.path)
    value = after.get(path)
    return value - before[path] if key.origin == "increase" and value is not None else value
