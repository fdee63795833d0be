"""Parameters as people keep them: dictionaries, tuples and lists of arrays, one in another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from rnn_harness.options import Keywords
from rnn_harness.validation.cells.callable_facts import tuple_fields


class TreeLeaf(NamedTuple):
    """A leaf of a tree.

    Attributes:
        path: The keys and positions that lead to it, such as ``gates/0``.
        value: The array.
    """

    path: str
    value: object


def map_tree(function: Callable[[Any], object], tree: object) -> Any:
    """Return the tree with a function applied to every leaf.

    Args:
        function: What each leaf is replaced by.
        tree: Dictionaries, tuples and lists, to any depth; what is none of them is a leaf.
    """
    if isinstance(tree, dict):
        return {name: map_tree(function, value) for name, value in tree.items()}
    if isinstance(tree, tuple | list):
        return _like(tree, [map_tree(function, value) for value in tree])
    return function(tree)


def _like(branches: tuple[Any, ...] | list[Any], values: list[Any]) -> Any:
    """A tuple, a named tuple or a list of the same kind with other values."""
    return type(branches)(*values) if tuple_fields(branches) else type(branches)(values)


def tree_leaves(tree: object, prefix: str = "") -> Iterator[TreeLeaf]:
    """Yield the leaves in order; nothing of what is no tree.

    Args:
        tree: Dictionaries, tuples and lists, to any depth.
        prefix: What stands before the path of each leaf.
    """
    for name, value in _branches(tree):
        if isinstance(value, dict | tuple | list):
            yield from tree_leaves(value, f"{prefix}{name}/")
        else:
            yield TreeLeaf(f"{prefix}{name}", value)


def _branches(tree: object) -> Iterable[tuple[object, Any]]:
    """The parts of a tree by key, field or position."""
    if isinstance(tree, dict):
        return tree.items()
    fields = tuple_fields(tree)
    if fields and isinstance(tree, tuple):
        return zip(fields, tree, strict=True)
    return enumerate(tree) if isinstance(tree, tuple | list) else ()


def branch_paths(tree: object) -> Iterator[tuple[object, ...]]:
    """Yield the ways to the trees inside a tree, by keys, fields and positions; the tree itself is none of them.

    Args:
        tree: Dictionaries, tuples and lists, to any depth.
    """
    for name, value in _branches(tree):
        if isinstance(value, dict | tuple | list):
            yield (name,)
            yield from ((name, *path) for path in branch_paths(value))


def branch_at(tree: object, path: tuple[object, ...]) -> object:
    """Return the tree that stands inside a tree.

    Args:
        tree: Dictionaries, tuples and lists, to any depth.
        path: As `branch_paths` names it.
    """
    for name in path:
        tree = dict(_branches(tree))[name]
    return tree


def tree_with_leaves(tree: object, values: Keywords, prefix: str = "") -> object:
    """Return the tree with these leaves, by their paths.

    Args:
        tree: The structure; its leaves are not used.
        values: A value for the path of every leaf, as `tree_leaves` names them.
        prefix: What stands before the path of each leaf.
    """
    if isinstance(tree, dict):
        return {name: tree_with_leaves(value, values, f"{prefix}{name}/") for name, value in tree.items()}
    if isinstance(tree, tuple | list):
        return _like(tree, [tree_with_leaves(value, values, f"{prefix}{name}/") for name, value in _branches(tree)])
    return values[prefix.removesuffix("/")]
