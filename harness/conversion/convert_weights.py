"""The map from the weights of one cell to those of another, carried out on arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.comparison.apply_rules import constrained, right_parameters
from rnn_harness.comparison.relation import Condition, Relation
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.parameter_blocks import BlockMap


@dataclass(frozen=True)
class Loss:
    """What the weights of the first cell have that the second cannot represent.

    Attributes:
        condition: What would have to hold.
        size: The largest number that is lost.
    """

    condition: Condition
    size: float


def weight_sizes(table: BlockMap, weights: Mapping[str, Array]) -> CellSizes:
    """Read the sizes off the shapes of weights.

    Args:
        table: The map of the target that has them.
        weights: Arrays by the target's names.
    """
    forms = dict(table.forms)
    d = n = joined = 0
    for block in table.blocks:
        plain = forms[block.parameter].plain(weights[block.parameter])
        d = d or len(plain) // block.of
        if block.side:
            joined = plain.shape[1]
        elif is_kind(block.name, ParameterKind.INPUT):
            n = plain.shape[1]
    return CellSizes(n or joined - d, d)


def reference_shapes(table: BlockMap, sizes: CellSizes) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a cell's parameters by the names of its equations.

    Args:
        table: Its map.
        sizes: Its input size n and its hidden size d.
    """
    forms = dict(table.forms)
    shapes: dict[str, tuple[int, ...]] = {}
    for block in table.blocks:
        if forms[block.parameter].vector:
            shapes[block.name] = (sizes.hidden_size,)
        else:
            shapes[block.name] = (
                sizes.hidden_size,
                sizes.input_size if is_kind(block.name, ParameterKind.INPUT) else sizes.hidden_size,
            )
    return shapes


def named_weights(table: BlockMap, weights: Mapping[str, Array]) -> dict[str, Array]:
    """Read a target's weights as those of its equations, in float64; what stands in several places is added.

    Args:
        table: The map of the target.
        weights: Arrays by the target's names.
    """
    exact = {name: np.asarray(value, np.float64) for name, value in weights.items()}
    return table.unpack(exact, reference_shapes(table, weight_sizes(table, exact)))


def losses(relation: Relation, weights: Mapping[str, Array]) -> tuple[Loss, ...]:
    """List what the second cell cannot represent of given weights.

    Args:
        relation: What makes the cells equal.
        weights: The first cell's, by the names of its equations.

    Returns:
        The conditions that the weights break, with the size of it; none where they are met to the last bit.
    """
    zero = np.array(0.0)
    rows = []
    for condition in relation.left_conditions:
        met = constrained((condition,), weights, zero)
        if condition.name in weights:
            size = float(np.max(np.abs(weights[condition.name] - met[condition.name])))
            rows += [Loss(condition, size)] if size else []
    return tuple(rows)


def nearest_weights(relation: Relation, weights: Mapping[str, Array]) -> dict[str, Array]:
    """Return the weights nearest to given ones, in the sum of squares, that the second cell can represent.

    Args:
        relation: What makes the cells equal.
        weights: The first cell's, by the names of its equations.
    """
    result = dict(weights)
    for condition in relation.left_conditions:
        tie = condition.tie
        if tie is not None and tie.left in result and condition.name in result:
            # Of a pair with b = -a + c, the nearest a lies half way between the two.
            result[tie.left] = (result[tie.left] - result[condition.name] + float(tie.offset)) / 2
    return constrained(relation.left_conditions, result, np.array(0.0))


def converted(
    relation: Relation, weights: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Array]:
    """Return the second cell's weights by the names of its equations.

    Args:
        relation: The rules.
        weights: The first cell's, which meet the conditions.
        shapes: The shapes of the second's.
    """
    return right_parameters(relation.rules, weights, shapes, np.array(0.0))
