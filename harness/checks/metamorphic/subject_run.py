"""A subject on some numbers, as a metamorphic property drives it: run, change, run again, and ask for the bounds.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, k output size.
Rows of different lengths are enclosed apart, each over its own length, which is what a length means.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.expectation import Expectation, expect
from rnn_harness.evaluation.judging_options import rounding
from rnn_harness.references import Gradients, Run
from rnn_harness.specs.program import Program
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.parameter_role import hidden_size
from rnn_harness.subjects.subject import LAYERS, Subject

_radius = np.frompyfunc(lambda ball: float(arb(ball.rad())), 1, 1)


@dataclass(frozen=True)
class Radii:
    """How far a right forward may lie from the true value: outputs, finals by name, traced values by name."""

    outputs: Array
    finals: dict[str, Array]
    trace: dict[str, Array]


@dataclass(frozen=True)
class _Group:
    rows: IndexArray
    length: int
    expectation: Expectation


@dataclass(frozen=True)
class SubjectRun:
    """One run of a subject. Everything is computed once, and only if asked for."""

    subject: Subject
    arrays: CaseArrays

    @classmethod
    def of(cls, evaluation: Evaluation) -> SubjectRun:
        """Take the subject and the numbers of an evaluation."""
        return cls(evaluation.subject, evaluation.arrays)

    @property
    def options(self) -> dict[str, Any]:
        """The options of the subject's reference, as the spec gives them."""
        link = self.subject.spec.reference
        return dict(link.options) if link is not None else {}

    def at(self, arrays: CaseArrays) -> SubjectRun:
        """The same subject on other numbers."""
        return SubjectRun(self.subject, arrays)

    def in_type(self, dtype: str) -> SubjectRun:
        """The same numbers rounded to another dtype."""

        def turned(values: dict[str, Array]) -> dict[str, Array]:
            return {name: value.astype(dtype) for name, value in values.items()}

        d = self.arrays
        moved = replace(
            d,
            parameters=turned(d.parameters),
            inputs=d.inputs.astype(dtype),
            states=turned(d.states),
            d_outputs=d.d_outputs.astype(dtype),
            d_finals=turned(d.d_finals),
        )
        return self.at(moved)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.arrays.inputs.dtype

    @property
    def numbers(self) -> dict[str, Array]:
        """Every array the subject is given, by flat name."""
        d = self.arrays
        found = {"inputs": d.inputs, "d_outputs": d.d_outputs}
        found |= {f"parameters.{name}": value for name, value in d.parameters.items()}
        found |= {f"states.{name}": value for name, value in d.states.items()}
        return found | {f"d_finals.{name}": value for name, value in d.d_finals.items()}

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The program's sizes, read off the numbers (a property may have added a unit or a feature)."""
        n = self.arrays.inputs.shape[2]
        d = next((value.shape[1] for value in self.arrays.states.values()), None)
        if d is None:
            d = hidden_size(self.arrays.parameters)
        return {"n": n, "d": d, "k": self.arrays.d_outputs.shape[2]}

    @property
    def own_functions(self) -> bool:
        """Whether the subject is known to compute tanh and sigmoid with NumPy or torch: ours are; a candidate may
        write them in other ways.
        """
        return not getattr(getattr(self.subject.cell, "driver", None), "candidate", False)

    @cached_property
    def run(self) -> Run:
        """What the subject computes."""
        d = self.arrays
        return self.subject.forward(d.parameters, d.inputs, d.states or None, d.lengths)

    @cached_property
    def gradients(self) -> Gradients:
        """What the subject's backward computes."""
        return self.subject.backward(self.run, self.arrays.d_outputs, self.arrays.d_finals or None)

    @cached_property
    def program(self) -> Program:
        return self.subject.spec.program(LAYERS)

    def _groups(self) -> Iterator[_Group]:
        """Rows of equal length, evaluated over that length; rows of length 0 are left out."""
        d = self.arrays
        steps, batch = d.inputs.shape[:2]
        lengths = np.full(batch, steps) if d.lengths is None else d.lengths
        for length in np.unique(lengths[lengths > 0]):
            rows = np.flatnonzero(lengths == length)
            states = {name: value[rows] for name, value in d.states.items()}
            values = self.subject.values(d.parameters, d.inputs[:length, rows], states, self.sizes)
            d_outputs = {self.subject.output_name: d.d_outputs[:length, rows]}
            d_finals = {name: d.d_finals[source][rows] for name, source in self.subject.states.items()}
            expectation = expect(self.program, values, d_outputs, d_finals, rounding(str(self.dtype)))
            yield _Group(rows, int(length), expectation)

    @cached_property
    def radii(self) -> Radii:
        """The bounds of the forward in this dtype, proved in balls."""
        steps, batch = self.arrays.inputs.shape[:2]
        symbols: dict[str, Array] = {}
        finals = {name: np.zeros(value.shape) for name, value in self.arrays.states.items()}
        last = self._last_steps()
        for group in self._groups():
            for t, step in enumerate(group.expectation.step_radii):
                for name, value in step.items():
                    symbols.setdefault(name, np.zeros((steps, batch, value.shape[-1])))
                    symbols[name][t, group.rows] = value
            for name, own in self.subject.states.items():
                finals[own][group.rows] = group.expectation.step_radii[last[name]][name]
        trace = {own: symbols[name] for name, own in self.subject.trace.items() if name in symbols}
        return Radii(symbols[self.subject.output_name], finals, trace)

    def _last_steps(self) -> dict[str, int]:
        """The index of the step after which each state is final."""
        backward = {state.name for one in self.program.passes if one.direction < 0 for state in one.carried}
        return {name: 0 if name in backward else -1 for name in self.subject.states}

    @cached_property
    def gradient_radii(self) -> Gradients:
        """The bounds of the backward in this dtype: radii in place of gradients."""
        d = self.arrays
        inputs = np.zeros(d.inputs.shape)
        states = {name: np.zeros(value.shape) for name, value in d.d_finals.items()}
        parameters = {name: np.zeros(value.shape) for name, value in d.parameters.items()}
        weights = []
        for group in self._groups():
            found = group.expectation.cotangents
            for t, value in enumerate(found.inputs.get(self.subject.input_name, ())):
                inputs[t, group.rows] = _radius(value)
            for name, own in self.subject.states.items():
                if name in found.states:
                    states[own][group.rows] = _radius(found.states[name])
            for name, value in self.subject.gradients(found.parameters, d.parameters).items():
                parameters[name] = parameters[name] + np.asarray(_radius(value), dtype=np.float64)
            weights.append(group.length * len(group.rows))
        # A sum over all rows rounds each term more often than the sums over the groups did.
        factor = math.ceil(sum(weights) / min(weights)) if weights else 1
        return Gradients(inputs, states, {name: factor * value for name, value in parameters.items()})


def flat(gradients: Gradients) -> dict[str, Array]:
    """Gradients by flat name: ``inputs``, ``states.h``, ``parameters.W_x``."""
    found = {"inputs": gradients.inputs} | {f"states.{name}": v for name, v in gradients.states.items()}
    return found | {f"parameters.{name}": value for name, value in gradients.parameters.items()}
