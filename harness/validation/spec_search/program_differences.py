"""What differs in a program from the right one: many programs are told apart by that alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from rnn_harness.specs.expression import Node, Variable, variables
from rnn_harness.specs.program import Pass, Program
from rnn_harness.validation.spec_search.program_rewrites import in_order

Difference: TypeAlias = tuple[frozenset[tuple[str, Node]], tuple[Variable, ...], int]
"""The assignments of a program that are others than those of the right one, its parameters, and how many there are."""


class Differences:
    """Tells programs apart by what differs from the right one: to compare all of them whole takes most of the time.

    Args:
        program: The right program.
    """

    def __init__(self, program: Program) -> None:
        self._program, assignments = program, program.assignments
        self._right = {a.target.name: a for a in assignments}
        self._later = [frozenset(a.target for a in assignments[number:]) for number in range(len(assignments))]
        self._is_in_order = all(
            later.isdisjoint(variables(a.expression)) for a, later in zip(assignments, self._later, strict=True)
        )

    def of_one(self, number: int, expression: Node) -> Difference:
        """Return what differs in the program with another expression in one assignment.

        Args:
            number: The number of the assignment.
            expression: What is computed in its place.
        """
        assignment = self._program.assignments[number]
        changed = () if assignment.expression == expression else ((assignment.target.name, expression),)
        return frozenset(changed), self._program.parameters, len(self._program.assignments)

    def of(self, program: Program) -> Difference:
        """Return what differs in a program.

        Args:
            program: A program with the assignments of the right one, but for some.
        """
        changed = []
        for assignment in program.assignments:
            right = self._right.get(assignment.target.name)
            if assignment is not right and assignment != right:
                changed.append((assignment.target.name, assignment.expression))
        return frozenset(changed), program.parameters, len(program.assignments)

    def program_with(self, number: int, expression: Node) -> Program:
        """Return the program with another expression in one assignment, in an order in which it can be computed.

        Args:
            number: The number of the assignment.
            expression: What is computed in its place.
        """
        rewritten = with_expression(self._program, number, expression)
        reads_later = not self._later[number].isdisjoint(variables(expression))
        return in_order(rewritten) if reads_later or not self._is_in_order else rewritten


def with_expression(program: Program, number: int, expression: Node) -> Program:
    """Return a program with another expression in one assignment.

    Args:
        program: The program; not changed.
        number: The number of the assignment.
        expression: What is computed in its place.
    """
    passes: list[Pass] = []
    start = 0
    for part in program.passes:
        count = len(part.assignments)
        if start <= number < start + count:
            assignments = list(part.assignments)
            assignments[number - start] = replace(assignments[number - start], expression=expression)
            passes.append(replace(part, assignments=tuple(assignments)))
        else:
            passes.append(part)
        start += count
    return replace(program, passes=tuple(passes))
