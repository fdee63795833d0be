"""New trees out of old ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from rnn_harness.specs.expression import Concatenate, Constant, Node, Variable


def replace_children(node: Node, function: Callable[[Node], Node]) -> Node:
    """The same node over `function` of each child."""
    if isinstance(node, Variable | Constant):
        return node
    if isinstance(node, Concatenate):
        return Concatenate(tuple(function(part) for part in node.parts))
    children: dict[str, Any] = {
        field.name: function(value)
        for field in dataclasses.fields(node)
        if hasattr(value := getattr(node, field.name), "children")
    }
    return dataclasses.replace(node, **children)


def shifted(node: Node, shift: int) -> Node:
    """The same expression, `shift` steps later; what has no time stays."""
    if shift == 0:
        return node
    if isinstance(node, Variable):
        return node if node.time is None else node.at(node.time + shift)
    return replace_children(node, lambda child: shifted(child, shift))


def substitute(node: Node, replacements: Mapping[Variable, Node]) -> Node:
    """Every occurrence of a variable replaced; shapes are checked again as nodes are rebuilt."""
    if isinstance(node, Variable):
        return replacements.get(node, node)
    return replace_children(node, lambda child: substitute(child, replacements))
