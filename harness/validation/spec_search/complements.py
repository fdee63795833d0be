"""A gate that is written as the complement of the print's: where the print has z, the cell has 1 - z.

1 - sigmoid(a) is sigmoid(-a), so that it is the print's cell with the gate's weights negated: the same functions can be
computed, with other weights.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from rnn_harness.specs import Spec
from rnn_harness.specs.expression import (
    Add,
    Apply,
    Constant,
    Function,
    MatrixVector,
    Multiply,
    Node,
    Role,
    Subtract,
    Variable,
)
from rnn_harness.specs.latex import to_latex, variable_latex
from rnn_harness.specs.program import Assignment, Program
from rnn_harness.specs.traversal import variables
from rnn_harness.validation.spec_search.constants import open_program, with_readings

ONE = Constant(Fraction(1))


@dataclass(frozen=True)
class Complement:
    """A gate whose weights may all be negated.

    Attributes:
        assignment: The gate's equation, a sigmoid.
        negated: The names of the weights; no other equation reads them.
    """

    assignment: Assignment
    negated: tuple[str, ...]

    def sentence(self) -> str:
        """Say what a cell is that has the complement of the gate."""
        gate = variable_latex(replace(self.assignment.target, time=None))
        weights = ", ".join(self.negated)
        return f"its gate is 1 - {gate} in the place of {gate}: the same cell with {weights} negated"


def complements(program: Program) -> Iterator[Complement]:
    """Yield the gates of a program whose complement is the same gate with other weights.

    Args:
        program: The program of a spec.
    """
    for number, assignment in enumerate(program.assignments):
        complement = _complement(program, number, assignment.expression)
        if complement is not None:
            yield complement


def _complement(program: Program, number: int, gate: Node) -> Complement | None:
    """Return the gate of an assignment, whose expression is given; None where its weights cannot all be negated."""
    if not isinstance(gate, Apply) or gate.function is not Function.SIGMOID:
        return None
    others = (other for place, other in enumerate(program.assignments) if place != number)
    elsewhere = frozenset(variable.name for other in others for variable in variables(other.expression))
    negated = _negated(gate.argument, elsewhere)
    if negated is None or len(set(negated)) < len(negated):
        return None
    return Complement(program.assignments[number], tuple(negated))


def _negated(node: Node, elsewhere: frozenset[str]) -> list[str] | None:
    """Name a weight of every term of a sum, so that the sum changes its sign with them; None where a term has none."""
    if isinstance(node, Add | Subtract):
        parts = [_negated(child, elsewhere) for child in node.children]
        return None if any(part is None for part in parts) else [name for part in parts for name in part or []]
    if isinstance(node, Variable):
        return [node.name] if node.role is Role.PARAMETER and node.name not in elsewhere else None
    if isinstance(node, Multiply | MatrixVector):
        found = [names for child in node.children if (names := _negated(child, elsewhere)) is not None]
        return found[0] if found else None
    return None


@functools.cache
def complemented_specs(spec: Spec) -> tuple[Spec, ...]:
    """Return a spec with the complement of one of its gates in the gate's place, for every such gate; remembered.

    Args:
        spec: A spec whose equations define one symbol each; of another kind there are none.
    """
    return tuple(_complemented(spec))


def _complemented(spec: Spec) -> Iterator[Spec]:
    """Yield a spec with the complement of one of its gates in the gate's place, one after the other."""
    program = spec.program()
    equations = [assignment.equation for assignment in program.assignments]
    if len(set(equations)) < len(equations):
        return
    with_letters = {assignment.equation: assignment for assignment in open_program(spec).assignments}
    for complement in complements(program):
        gate = with_letters[complement.assignment.equation]
        expression = Subtract(ONE, gate.expression)
        reading = f"{variable_latex(gate.target)} = {to_latex(expression)}"
        yield with_readings(spec, {gate.equation: reading}, spec.model.constants)


def complement_of(spec: Spec) -> Complement | None:
    """Return the gate in whose place a spec of `complemented_specs` has the complement; None for any other spec.

    Args:
        spec: The spec of a cell.
    """
    entries = {entry.id: entry for entry in spec.model.equations}
    program = spec.program()
    for number, assignment in enumerate(program.assignments):
        expression = assignment.expression
        entry = entries.get(assignment.equation)
        if entry is None or entry.reading is None or "1 - " in entry.printed:
            continue
        if isinstance(expression, Subtract) and expression.left == ONE:
            complement = _complement(program, number, expression.right)
            if complement is not None:
                return complement
    return None


def weights_of_other_sign(left_side: Spec, right_side: Spec) -> frozenset[str]:
    """Name the weights that two cells of one spec have with the other sign, since one has a gate's complement.

    Args:
        left_side: The equations of the first cell.
        right_side: Those of the second.

    Returns:
        The names of the weights; none where the equations are equal, or differ in something else.
    """
    if left_side.id != right_side.id or _plain(left_side) != _plain(right_side):
        return frozenset()
    gates = (complement_of(side) for side in (left_side, right_side))
    first, second = (frozenset(() if gate is None else gate.negated) for gate in gates)
    return first ^ second


def _plain(spec: Spec) -> tuple[Assignment, ...]:
    """Return the assignments of a spec with the gate itself in the place of its complement."""
    complement = complement_of(spec)
    assignments = spec.program().assignments
    if complement is None:
        return assignments
    return tuple(
        replace(entry, expression=entry.expression.children[1]) if entry is complement.assignment else entry
        for entry in assignments
    )
