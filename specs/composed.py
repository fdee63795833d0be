"""Functions of papers that are written with others: maxima, absolute values, hard gates, layer normalisation."""

from __future__ import annotations

import enum
from collections.abc import Callable
from fractions import Fraction

from rnn_harness.specs.context import ElaborationError
from rnn_harness.specs.expression import Add, Apply, Constant, Divide, Function, Multiply, Node, Subtract

_UNIT, _ZERO = Constant(Fraction(1)), Constant(Fraction(0))


class Composed(enum.Enum):
    """A function that has no node of its own."""

    MAXIMUM = "max"
    MINIMUM = "min"
    ABSOLUTE = "abs"
    LAYER_NORM = "layer normalisation"
    HARD_TANH = "hard tanh"
    HARD_SIGMOID = "hard sigmoid"
    SILU = "silu"


def composed_function(function: Composed, letter: str, arguments: tuple[Node, ...], column: int) -> Node:
    """Write a function of arguments with functions that have a node.

    Args:
        function: which of them is written out.
        letter: How it is printed, for messages.
        arguments: Its arguments; layer normalisation may have a gain and a shift besides.
        column: Where it is printed.

    Raises:
        ElaborationError: For another number of arguments.
        ShapeError: Where the arguments do not fit each other.
    """
    counts = {Composed.MAXIMUM: (2,), Composed.MINIMUM: (2,), Composed.LAYER_NORM: (1, 2, 3)}.get(function, (1,))
    if len(arguments) not in counts:
        expected = " or ".join(map(str, counts))
        raise ElaborationError("syntax", f"{letter} has {len(arguments)} arguments; expected {expected}", column)
    return _WRITTEN[function](*arguments)


def _relu(argument: Node) -> Node:
    return Apply(Function.RELU, argument)


def _maximum(first: Node, second: Node) -> Node:
    """max(a, b) = a + relu(b - a); max(0, b) is relu(b) as it is, without sums whose terms of zero say nothing."""
    if _ZERO in (first, second):
        return _relu(second if first == _ZERO else first)
    return Add(first, _relu(Subtract(second, first)))


def _minimum(first: Node, second: Node) -> Node:
    """min(a, b) = a - relu(a - b)."""
    return Subtract(first, _relu(Subtract(first, second)))


def _absolute(argument: Node) -> Node:
    """abs(a) = relu(a) + relu(-a)."""
    return Add(_relu(argument), _relu(Subtract(_ZERO, argument)))


def _layer_norm(argument: Node, gain: Node | None = None, shift: Node | None = None) -> Node:
    """Subtract the mean, divide by the deviation; then gain and shift (arXiv 1607.06450, equation 4)."""
    centred = Subtract(argument, Apply(Function.MEAN, argument))
    result: Node = Multiply(centred, Apply(Function.INVERSE_DEVIATION, argument))
    result = result if gain is None else Multiply(gain, result)
    return result if shift is None else Add(result, shift)


def _clipped_to_unit(argument: Node) -> Node:
    return Subtract(_relu(argument), _relu(Subtract(argument, _UNIT)))


def _hard_tanh(argument: Node) -> Node:
    """Clip to [-1, 1]."""
    return Subtract(Subtract(_relu(Add(argument, _UNIT)), _relu(Subtract(argument, _UNIT))), _UNIT)


def _hard_sigmoid(argument: Node) -> Node:
    """Clip a / 6 + 1 / 2 to [0, 1], as torch and Keras 3 do."""
    return _clipped_to_unit(Add(Divide(argument, Constant(Fraction(6))), Constant(Fraction(1, 2))))


def _silu(argument: Node) -> Node:
    return Multiply(argument, Apply(Function.SIGMOID, argument))


_WRITTEN: dict[Composed, Callable[..., Node]] = {
    Composed.MAXIMUM: _maximum,
    Composed.MINIMUM: _minimum,
    Composed.ABSOLUTE: _absolute,
    Composed.LAYER_NORM: _layer_norm,
    Composed.HARD_TANH: _hard_tanh,
    Composed.HARD_SIGMOID: _hard_sigmoid,
    Composed.SILU: _silu,
}
