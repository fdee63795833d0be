"""Equations put in the order in which they can be computed: what one step, and one sequence, does.

The shapes of variables are written without the axes of time (T steps) and batch (B rows).
"""

from __future__ import annotations

from dataclasses import dataclass

from rnn_harness.specs.expression import Node, Variable


@dataclass(frozen=True, slots=True)
class Assignment:
    """One ``target = expression``.

    Attributes:
        target: the variable, at time 0 or None.
        expression: the expression that gives its value.
        equation: the id of the equation.
    """

    target: Variable
    expression: Node
    equation: str


@dataclass(frozen=True, slots=True)
class Pass:
    """Assignments computed together while walking over time.

    Attributes:
        direction: +1 (t = 1..T, states come from t-1), -1 (t = T..1, states come from t+1) or 0 (each t by itself).
        carried: the states of this pass, as variables at time 0; inside the expressions they occur at time 0 and at
            time -direction.
        assignments: the assignments, in the order in which they can be computed at one step.
    """

    direction: int
    carried: tuple[Variable, ...]
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A spec, ready to be evaluated or derived.

    Attributes:
        spec: the id of the spec.
        inputs: the inputs, at time 0.
        states: the states, at time 0.
        parameters: the parameters, without time.
        outputs: the outputs, at time 0.
        passes: the passes in order; later ones may read earlier ones.
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
        return tuple(assignment for walk in self.passes for assignment in walk.assignments)
