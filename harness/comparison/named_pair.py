"""Cells of specs, and the pair of two of them under a map of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rnn_harness.arithmetic.protocol import Values
from rnn_harness.array_types import Array
from rnn_harness.comparison.apply_rules import parameter_shapes, renamed
from rnn_harness.derivatives.program_pair import ProgramPair
from rnn_harness.specs import Spec
from rnn_harness.specs.program import Program

Translate = Callable[[dict[str, Array], dict[str, tuple[int, ...]]], dict[str, Array]]
"""Makes the right's parameters, of given shapes, of the left's."""


@dataclass(frozen=True)
class NamedCell:
    """A cell of a spec.

    Attributes:
        spec: The equations, by which it is compared.
        absent: The biases that the cell lacks.
    """

    spec: Spec
    absent: frozenset[str]

    @property
    def program(self) -> Program:
        """Its program."""
        return self.spec.program()


def pair_of(left_side: NamedCell, right_side: NamedCell, translate: Translate) -> ProgramPair:
    """Make the pair of two programs under a map of parameters; what a cell lacks is zero.

    Args:
        left_side: The cell whose weights are free.
        right_side: The other cell, with as many states.
        translate: Makes the right's parameters of the left's.
    """
    first, second = left_side.program, right_side.program

    def right_values(values: Values, _: Array) -> Values:
        parameters = translate(dict(values.parameters), parameter_shapes(second, values.sizes))
        return renamed(values, without(parameters, right_side.absent), second)

    def constrain(values: Values) -> Values:
        return replace(values, parameters=without(dict(values.parameters), left_side.absent))

    pairs = zip(first.states, second.states, strict=True)
    compared = {a.name: b.name for a, b in pairs}
    compared |= {a.name: b.name for a, b in zip(first.outputs, second.outputs, strict=True)}
    return ProgramPair(first, second, right_values, compared, constrain)


def without(parameters: dict[str, Array], absent: frozenset[str]) -> dict[str, Array]:
    """Return parameters with those that a cell lacks set to zero.

    Args:
        parameters: Arrays by name, of any arithmetic.
        absent: The names of those that are zero.
    """
    return {name: value - value if name in absent else value for name, value in parameters.items()}
