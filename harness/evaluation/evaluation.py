"""One case, run: what the subject computed, and what the spec says, each computed once and only if asked for.

Dimension legend: T time steps, B batch rows.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn_harness.arithmetic import Arithmetic, Trajectory, Values, evaluate
from rnn_harness.arithmetic.assumptions import GUARD_MARGIN
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.protocol import OpenT, StoredT
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case, CaseArrays, draw_arrays
from rnn_harness.derivatives import Cotangents, derive, differentiate
from rnn_harness.references import Gradients, Run
from rnn_harness.specs.program import Program
from rnn_harness.subjects.subject import LAYERS, Subject


def final_states(program: Program, trajectory: Trajectory[StoredT]) -> dict[str, StoredT]:
    """The last value of every state; of one that runs backward, that at the first step."""
    backward = {state.name for one in program.passes if one.direction < 0 for state in one.carried}
    if not trajectory.steps:
        return dict(trajectory.initial)
    return {s.name: trajectory.steps[0 if s.name in backward else -1][s.name] for s in program.states}


class Evaluation:
    """A subject on a case's arrays. `margin`: by how many bounds a parameter must move the output (see guards).

    `absent`: what the reference has and the subject has not, and that is zero: parameters, and ``states.h``.
    """

    margin: int = GUARD_MARGIN
    absent: tuple[str, ...] = ()

    def __init__(self, subject: Subject, arrays: CaseArrays) -> None:
        self.subject, self.arrays = subject, arrays

    @classmethod
    def of(cls, subject: Subject, case: Case) -> Evaluation:
        """Draw the case and try it."""
        return cls(subject, draw_arrays(case, subject))

    @property
    def case(self) -> Case:
        return self.arrays.case

    @functools.cached_property
    def program(self) -> Program:
        return self.subject.spec.program(LAYERS)

    @functools.cached_property
    def run(self) -> Run:
        """The subject's forward."""
        d = self.arrays
        return self.subject.forward(d.parameters, d.inputs, d.states, d.lengths)

    @functools.cached_property
    def gradients(self) -> Gradients:
        """The subject's backward."""
        return self.subject.backward(self.run, self.arrays.d_outputs, self.arrays.d_finals)

    @functools.cached_property
    def values(self) -> Values:
        """The case under the spec's names."""
        d = self.arrays
        return self.subject.values(d.parameters, d.inputs, d.states, self.case.sizes)

    @functools.cached_property
    def bounded(self) -> BallArithmetic:
        """Balls that hold the rounding of the case's dtype."""
        return BallArithmetic.of(self.case.dtype)

    @functools.cached_property
    def balls(self) -> Trajectory[Array]:
        """The spec's values over the sequence, with their rounding bounds."""
        return evaluate(self.program, self.values, self.bounded)

    @property
    def spec_cotangents(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """Output and final-state cotangents under the spec's names."""
        d_finals = {name: self.arrays.d_finals[source] for name, source in self.subject.states.items()}
        return {self.subject.output_name: self.arrays.d_outputs}, d_finals

    def differentiate(
        self, trajectory: Trajectory[StoredT], arithmetic: Arithmetic[StoredT, OpenT]
    ) -> Cotangents[StoredT]:
        """The derived backward in some arithmetic."""
        d_outputs, d_finals = self.spec_cotangents
        return differentiate(derive(self.program), trajectory, d_outputs, d_finals, arithmetic)

    def gathered(self, found: Cotangents[Array]) -> dict[str, Array]:
        """Cotangents of the spec as flat names of the subject: ``inputs``, ``states.h``, ``parameters.W_x``."""
        rows: dict[str, Array] = {}
        steps = found.inputs.get(self.subject.input_name)
        if steps:
            rows["inputs"] = np.stack(steps)
        for name, source in self.subject.states.items():
            rows[f"states.{source}"] = found.states[name]
        gathered = self.subject.gradients(found.parameters, self.arrays.parameters)
        rows |= {f"parameters.{name}": value for name, value in gathered.items()}
        return rows

    @functools.cached_property
    def gradient_balls(self) -> dict[str, Array]:
        """Every gradient's true value with its rounding bound, by flat name."""
        with self.bounded.scope():
            return self.gathered(self.differentiate(self.balls, self.bounded))

    @property
    def flat_gradients(self) -> dict[str, Array]:
        """The subject's gradients by flat name."""
        return flat(self.gradients)

    @property
    def flat_values(self) -> dict[str, Array]:
        """What the gradients are taken for, by the same names."""
        rows = {"inputs": self.arrays.inputs}
        rows |= {f"states.{name}": value for name, value in self.arrays.states.items()}
        return rows | {f"parameters.{name}": value for name, value in self.arrays.parameters.items()}

    def objective(self, values: Mapping[str, Array], arithmetic: Any) -> Any:
        """sum(outputs * d_outputs) + sum(finals * d_finals) of the spec at `values` (flat names)."""
        moved = self.subject.values(
            {k.removeprefix("parameters."): v for k, v in values.items() if k.startswith("parameters.")},
            values["inputs"],
            {k.removeprefix("states."): v for k, v in values.items() if k.startswith("states.")},
            self.case.sizes,
        )
        trajectory = evaluate(self.program, moved, arithmetic)
        d_outputs, d_finals = self.spec_cotangents
        finals = final_states(self.program, trajectory)
        with arithmetic.scope():
            total = sum((finals[name] * d_finals[name]).sum() for name in d_finals)
            for name, cotangent in d_outputs.items():
                total = total + (np.array([step[name] for step in trajectory.steps]) * cotangent).sum()
            return total

    @functools.cached_property
    def directions(self) -> dict[str, Array]:
        """A random direction for every value, by flat name, in float64."""
        rng = np.random.default_rng([self.case.seed, 1])
        return {name: rng.standard_normal(np.shape(value)) for name, value in self.flat_values.items()}


def flat(gradients: Gradients) -> dict[str, Array]:
    """Gradients by flat name."""
    rows = {"inputs": gradients.inputs}
    rows |= {f"states.{name}": value for name, value in gradients.states.items()}
    return rows | {f"parameters.{name}": value for name, value in gradients.parameters.items()}
