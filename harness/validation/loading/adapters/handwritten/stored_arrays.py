"""The arrays that an object keeps: in attributes, in dictionaries and lists there, and in objects among them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.options import Keywords

MAX_DEPTH = 4


class StoredArray(NamedTuple):
    """An array that an object keeps.

    Attributes:
        path: The attributes, keys and positions that lead to it, such as ``params/0`` or ``forget/W``.
        value: The array.
    """

    path: str
    value: Array


def stored_arrays(holder: object) -> dict[str, Array]:
    """Return the arrays that an object keeps, by their paths; one that is kept twice has the path that is shortest.

    Args:
        holder: The object; attributes, dictionaries, lists and objects in it are entered, each once.
    """
    paths: dict[int, StoredArray] = {}
    for stored in _walk(holder, "", 0, set()):
        known = paths.get(id(stored.value))
        if known is None or _rank(stored.path) < _rank(known.path):
            paths[id(stored.value)] = stored
    return dict(paths.values())


def arrays_of_every_name(holder: object) -> dict[str, Array]:
    """Return the arrays that an object keeps, by their paths; one that is kept under two names has two paths.

    A gradient may be that of two parameters: ``self.dbx = self.dbh = dr``.

    Args:
        holder: The object; attributes, dictionaries, lists and objects in it are entered, each once.
    """
    arrays = stored_arrays(holder)
    names = {(id(value), path.rpartition("/")[2]) for path, value in arrays.items()}
    for path, value in _walk(holder, "", 0, set()):
        name = path.rpartition("/")[2]
        if not name.isdigit() and (id(value), name) not in names:
            names.add((id(value), name))
            arrays[path] = value
    return arrays


def _rank(path: str) -> tuple[int, bool, int]:
    """Order paths: short ones first, named ones before numbered ones."""
    last = path.rpartition("/")[2]
    return path.count("/"), last.isdigit(), len(path)


def _walk(holder: object, prefix: str, depth: int, seen: set[int]) -> Iterator[StoredArray]:
    """The arrays in an object, a dictionary, a list or a tuple."""
    if depth > MAX_DEPTH or id(holder) in seen:
        return
    seen.add(id(holder))
    for name, value in _entries(holder):
        path = f"{prefix}{name}"
        if isinstance(value, np.ndarray):
            yield StoredArray(path, value)
        elif _holds_arrays(value):
            yield from _walk(value, f"{path}/", depth + 1, seen)


def _entries(holder: object) -> Iterator[tuple[str, object]]:
    """The attributes of an object, or the entries of a dictionary, a list or a tuple."""
    if isinstance(holder, dict):
        yield from ((str(key), value) for key, value in holder.items())
    elif isinstance(holder, list | tuple):
        yield from ((str(position), value) for position, value in enumerate(holder))
    elif hasattr(holder, "__dict__"):
        yield from vars(holder).items()


def _holds_arrays(value: object) -> bool:
    """Whether a value may hold arrays: a container, or an object of a class that no library of the kind defines."""
    if isinstance(value, dict | list | tuple):
        return True
    module = type(value).__module__
    return hasattr(value, "__dict__") and not isinstance(value, type) and module not in ("builtins", "numpy", "types")


def copy_with_arrays(holder: object, arrays: Mapping[int, Array]) -> object:
    """Return a deep copy of an object in which other arrays stand for some of its own, wherever those are kept.

    Args:
        holder: The object.
        arrays: The arrays of the copy, by the id of the object's own.
    """
    memo: dict[int, object] = dict(arrays)
    try:
        return copy.deepcopy(holder, memo)
    except Exception:  # an object may hold what cannot be copied: a lock, a module, an open file
        return _copy_of_containers(holder, arrays, 0)


def _copy_of_containers(value: object, arrays: Mapping[int, Array], depth: int) -> object:
    """A copy of an object and of the containers in it; anything else is shared with it."""
    if isinstance(value, np.ndarray):
        return arrays.get(id(value), value)
    if depth > MAX_DEPTH:
        return value
    if isinstance(value, dict):
        return {key: _copy_of_containers(entry, arrays, depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        return [_copy_of_containers(entry, arrays, depth + 1) for entry in value]
    if type(value) is tuple:
        return tuple(_copy_of_containers(entry, arrays, depth + 1) for entry in value)
    if not _holds_arrays(value) or isinstance(value, tuple):
        return value
    copied = copy.copy(value)
    for name, entry in vars(value).items():
        vars(copied)[name] = _copy_of_containers(entry, arrays, depth + 1)
    return copied


_GRADIENT_HOLDERS = frozenset(("grads", "gradients", "grad", "dparams", "derivatives"))
_GRADIENT_PREFIXES = ("d_", "grad_", "d")
_GRADIENT_SUFFIXES = ("_grad", "_gradient", "_d")
_PARAMETER_HOLDERS = frozenset(("params", "parameters", "weights", "param", "theta"))
_WEIGHT_NAMES = ("w", "u", "v", "r", "b", "k", "kernel", "p", "theta", "alpha", "gamma", "beta")


def is_gradient_path(path: str, paths: Keywords) -> bool:
    """Say whether a path is that of the gradient of another array, or leads through a container of gradients.

    Args:
        path: The path of an array.
        paths: The paths of all arrays of the object.
    """
    holder, _, last = path.rpartition("/")
    if any(part.strip("_") in _GRADIENT_HOLDERS for part in holder.split("/")):
        return True
    names = {other.rpartition("/")[2] for other in paths}
    stems = [last.removeprefix(prefix) for prefix in _GRADIENT_PREFIXES if last.startswith(prefix)]
    stems += [last.removesuffix(suffix) for suffix in _GRADIENT_SUFFIXES if last.endswith(suffix)]
    return any(stem and stem != last and stem in names for stem in stems)


def is_weight_path(path: str) -> bool:
    """Say whether an array of that path is called as weights and biases are.

    Args:
        path: Attributes, keys and indices, with slashes between them.
    """
    holder, _, last = path.rpartition("/")
    named = any(part.strip("_") in _PARAMETER_HOLDERS for part in holder.split("/"))
    return named or last.lower().lstrip("_").startswith(_WEIGHT_NAMES)


def possible_parameters(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return those of an object's arrays that may be parameters: of floats, one to three axes, no gradients.

    What lies in a container of zeros beside one with the same names and shapes is a gradient, or what a rule of
    learning keeps for each parameter: ``self.p["W"]``, ``self.g["W"]``.

    Args:
        arrays: Arrays by path, as `stored_arrays` gives them.
    """
    beside = _containers_beside_parameters(arrays)
    return {
        path: value
        for path, value in arrays.items()
        if value.dtype.kind == "f" and 1 <= value.ndim <= 3 and value.size and not is_gradient_path(path, arrays)
        if path.rpartition("/")[0] not in beside
    }


def _containers_beside_parameters(arrays: Mapping[str, Array]) -> set[str]:
    """The containers of zeros alone beside which stands one of the same names and shapes with numbers in it."""
    containers: dict[str, dict[str, Array]] = {}
    for path, value in arrays.items():
        holder, _, name = path.rpartition("/")
        if holder:
            containers.setdefault(holder, {})[name] = value
    shapes = {holder: {name: value.shape for name, value in held.items()} for holder, held in containers.items()}
    empty = {holder for holder, held in containers.items() if not any(np.any(value) for value in held.values())}
    return {
        holder
        for holder in empty
        for other in containers
        if other not in empty and holder.rpartition("/")[0] == other.rpartition("/")[0]
        if shapes[holder] == shapes[other]
    }
