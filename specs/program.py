"""Equations put in the order in which they can be computed: what one step, and one sequence, does.

Dimension legend: T time steps, B batch rows; every variable's shape is written without them.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnn_harness.specs.expression import Node, Variable


@dataclass(frozen=True, slots=True)
class Assignment:
    """``target = expression``, by the equation with that id. The target's time is 0 or None."""

    target: Variable
    expression: Node
    equation: str


@dataclass(frozen=True, slots=True)
class Pass:
    """Assignments computed together while walking over time.

    `direction` is +1 (t = 1..T, states come from t-1), -1 (t = T..1, states come from t+1) or 0 (each t by
    itself). `carried` are the states of this pass, as variables at time 0; inside the expressions they occur
    at time 0 and at time -direction.
    """

    direction: int
    carried: tuple[Variable, ...]
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A whole spec, ready to be evaluated or derived: passes in order, later ones may read earlier ones.

    `inputs`, `states`, `parameters` and `outputs` are variables (time 0; parameters timeless).
    """

    spec: str
    inputs: tuple[Variable, ...]
    states: tuple[Variable, ...]
    parameters: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    passes: tuple[Pass, ...]

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        """All assignments of all passes, in order."""
        return tuple(assignment for one in self.passes for assignment in one.assignments)
