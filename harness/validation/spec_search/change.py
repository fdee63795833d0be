"""A change of an expression, with the words for it: what the rewrites of sums, products and functions give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from rnn_harness.specs.expression import Apply, Constant, Function, Node, Variable

UNIT, ZERO, TWO = Constant(Fraction(1)), Constant(Fraction(0)), Constant(Fraction(2))
ACTIVATIONS = (Function.SIGMOID, Function.TANH, Function.RELU, Function.IDENTITY)


@dataclass(frozen=True)
class Change:
    """Another expression in the place of one, in words.

    Attributes:
        expression: What stands in its place.
        words: What is wrong, by the symbols of the spec.
        cost: How unlikely the mistake is.
    """

    expression: Node
    words: str
    cost: int


@dataclass(frozen=True)
class KnownSymbols:
    """The symbols that may be read by mistake at one assignment.

    Attributes:
        values: States at both times, intermediates and inputs that are known there.
        parameters: All parameters.
        applied: Functions of something in the same expression.
        results: What gives each result of the program, by its symbol.
        read_often: Results that several expressions read.
    """

    values: tuple[Variable, ...]
    parameters: tuple[Variable, ...]
    applied: tuple[Apply, ...]
    results: Mapping[Variable, Node]
    read_often: frozenset[Variable]
