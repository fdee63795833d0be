"""Rules and conditions on weights, carried out on numbers, balls or polynomials alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from rnn_harness.arithmetic.protocol import Values
from rnn_harness.array_types import Array
from rnn_harness.comparison.relation import Condition, ParameterRule
from rnn_harness.specs.program import Program


def right_parameters(
    rules: Sequence[ParameterRule],
    left_side: Mapping[str, Array],
    shapes: Mapping[str, tuple[int, ...]],
    zero: Array,
) -> dict[str, Array]:
    """Build the parameters of the right cell from those of the left.

    Args:
        rules: How they follow; a parameter without a rule is zero.
        left_side: The left's parameters by name.
        shapes: The shapes of the right's parameters, by name.
        zero: The zero of the arithmetic, an array without axes.

    Returns:
        New arrays, by the right's names.
    """
    rule_of = {rule.right: rule for rule in rules}
    return {
        name: _follow(rule_of.get(name, ParameterRule(name, "")), left_side, shape, zero)
        for name, shape in shapes.items()
    }


def _follow(rule: ParameterRule, left_side: Mapping[str, Array], shape: tuple[int, ...], zero: Array) -> Array:
    """Carry one rule out; a parameter that is not there counts as zero."""
    value = np.broadcast_to(zero, shape).copy()
    if rule.left in left_side:
        value = _formed(rule, left_side[rule.left], value)
        value = -value if rule.sign < 0 else value
    return value + _number(rule.offset, zero) if rule.offset else value


def _formed(rule: ParameterRule, source: Array, zeros: Array) -> Array:
    """Return a parameter, or the vector on the diagonal of a matrix, or the matrix of a vector."""
    if rule.form == "to a diagonal":
        return np.diagonal(source).copy()
    if rule.form == "to a matrix":
        places = np.arange(len(source))
        zeros[places, places] = source
        return zeros
    return source


def _number(value: Fraction, zero: Array) -> object:
    """Return a number in the arithmetic of a zero: floats, balls and polynomials take whole numbers."""
    return (zero.item() + value.numerator) / value.denominator


def constrained(conditions: Sequence[Condition], parameters: Mapping[str, Array], zero: Array) -> dict[str, Array]:
    """Make parameters meet conditions.

    Args:
        conditions: What must hold for them.
        parameters: By name; they are not changed.
        zero: The zero of the arithmetic, an array without axes.

    Returns:
        The parameters that meet the conditions, by name.
    """
    result = dict(parameters)
    for condition in conditions:
        value = parameters.get(condition.name)
        if value is None:
            continue
        zeros = np.broadcast_to(zero, value.shape).copy()
        if condition.kind == "zero":
            result[condition.name] = zeros
        elif condition.kind == "diagonal":
            places = np.arange(len(value))
            zeros[places, places] = value[places, places]
            result[condition.name] = zeros
        elif condition.tie is not None:
            result[condition.name] = _follow(condition.tie, parameters, value.shape, zero)
    return result


def parameter_shapes(program: Program, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a program's parameters in numbers, by name.

    Args:
        program: Declares the parameters.
        sizes: The named sizes.
    """
    return {v.name: tuple(axis.size(sizes) for axis in v.shape) for v in program.parameters}


def renamed(values: Values, parameters: Mapping[str, Array], program: Program) -> Values:
    """Return numbers for another program: its parameters, with inputs and states in the order of the declarations.

    Args:
        values: Numbers of the first program.
        parameters: The parameters of the second.
        program: The second program.
    """
    inputs = dict(zip((v.name for v in program.inputs), values.inputs.values(), strict=True))
    states = dict(zip((v.name for v in program.states), values.states.values(), strict=True))
    return replace(values, parameters=dict(parameters), inputs=inputs, states=states)
