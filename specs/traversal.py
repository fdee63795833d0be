"""Walk through the nodes of an expression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_harness.specs.leaves import Variable

if TYPE_CHECKING:
    from rnn_harness.specs.expression import Node


def walk(node: Node) -> Iterator[Node]:
    """Yield every node of a tree, parents before children.

    Args:
        node: the root; it comes first.
    """
    waiting = [node]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(reversed(part.children))


def depth(node: Node) -> int:
    """Count the nodes from the root to the deepest leaf, both included.

    Args:
        node: the root, of a tree of any depth.
    """
    level, count = [node], 0
    while level:
        level, count = [child for parent in level for child in parent.children], count + 1
    return count


def variables(node: Node) -> Iterator[Variable]:
    """Yield every occurrence of a variable in a tree, in reading order.

    Args:
        node: the root.
    """
    return (part for part in walk(node) if isinstance(part, Variable))
