"""Where the values of an expression lie whatever its numbers are: a limit that is never reached is no mistake."""

from __future__ import annotations

from collections.abc import Mapping

from rnn_harness.specs.expression import Add, Apply, Constant, Divide, Function, Multiply, Node, Subtract, Variable
from rnn_harness.validation.spec_search.change import UNIT


def is_within_one(node: Node, results: Mapping[Variable, Node]) -> bool:
    """Say whether an expression lies in [-1, 1] for all numbers: a sigmoid, a tanh, or a product of such.

    Args:
        node: The expression.
        results: What gives each result of the program.
    """
    match node:
        case Apply():
            return node.function in (Function.SIGMOID, Function.TANH)
        case Multiply():
            return is_within_one(node.left, results) and is_within_one(node.right, results)
        case Variable():
            return _is_result(node, results) and is_within_one(results[node], results)
    return False


def is_never_negative(node: Node, results: Mapping[Variable, Node]) -> bool:
    """Say whether an expression is at least 0 for all numbers, as far as its signs and unit intervals tell.

    Args:
        node: The expression.
        results: What gives each result of the program.
    """
    match node:
        case Constant():
            return node.value >= 0
        case Apply():
            return node.function in (Function.SIGMOID, Function.RELU, Function.EXP)
        case Add() | Divide():
            return is_never_negative(node.left, results) and is_never_negative(node.right, results)
        case Multiply():
            is_square = node.left == node.right
            return is_square or (is_never_negative(node.left, results) and is_never_negative(node.right, results))
        case Subtract():
            return _is_in_unit_interval(node, results)
        case Variable():
            return _is_result(node, results) and is_never_negative(results[node], results)
    return False


def _is_in_unit_interval(node: Node, results: Mapping[Variable, Node]) -> bool:
    """Say whether an expression lies in [0, 1]: a sigmoid, a product of such, or what one of them leaves of 1."""
    match node:
        case Constant():
            return 0 <= node.value <= 1
        case Apply():
            return node.function is Function.SIGMOID
        case Multiply():
            return _is_in_unit_interval(node.left, results) and _is_in_unit_interval(node.right, results)
        case Subtract():
            return node.left == UNIT and _is_in_unit_interval(node.right, results)
        case Variable():
            return _is_result(node, results) and _is_in_unit_interval(results[node], results)
    return False


def _is_result(symbol: Variable, results: Mapping[Variable, Node]) -> bool:
    """Say whether a symbol stands for an expression of this step, and not for another symbol alone."""
    return symbol in results and not isinstance(results[symbol], Variable)
