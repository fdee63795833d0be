"""Rewrite expressions: replace children, shift times, substitute variables."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from rnn_harness.specs.expression import Concatenate, Constant, Node, Variable


def replace_children(node: Node, function: Callable[[Node], Node]) -> Node:
    """Build the same node with `function` applied to each child.

    Args:
        node: it is not changed; a leaf is returned as it is.
        function: gives the replacement of one child.

    Raises:
        ShapeError: where the new children's shapes do not fit.
    """
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
    """Build the same expression, `shift` steps later; variables without time stay as they are.

    Args:
        node: it is not changed.
        shift: the number of steps, negative for earlier ones.
    """
    if shift == 0:
        return node
    if isinstance(node, Variable):
        return node if node.time is None else node.at(node.time + shift)
    return replace_children(node, lambda child: shifted(child, shift))


def substitute(node: Node, replacements: Mapping[Variable, Node]) -> Node:
    """Replace every occurrence of some variables.

    Args:
        node: the expression.
        replacements: the expression that takes the place of each variable (at its time).

    Raises:
        ShapeError: where the shapes of replacements do not fit.
    """
    if isinstance(node, Variable):
        return replacements.get(node, node)
    return replace_children(node, lambda child: substitute(child, replacements))
