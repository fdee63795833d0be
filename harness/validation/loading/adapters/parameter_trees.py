"""Parameters as people keep them: dictionaries, tuples and lists of arrays, one in another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rnn_harness.options import Keywords


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
        return type(tree)(map_tree(function, value) for value in tree)
    return function(tree)


def tree_leaves(tree: object, prefix: str = "") -> Iterator[TreeLeaf]:
    """Yield the leaves in order; nothing of what is no tree.

    Args:
        tree: Dictionaries, tuples and lists, to any depth.
        prefix: What stands before the path of each leaf.
    """
    branches = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, tuple | list) else ()
    for name, value in branches:
        if isinstance(value, dict | tuple | list):
            yield from tree_leaves(value, f"{prefix}{name}/")
        else:
            yield TreeLeaf(f"{prefix}{name}", value)


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
        return type(tree)(tree_with_leaves(value, values, f"{prefix}{i}/") for i, value in enumerate(tree))
    return values[prefix.removesuffix("/")]
