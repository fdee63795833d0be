"""The true values of a subject's run, with the bound on what rounding may do: its spec evaluated in Arb balls.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
Rows of different lengths are evaluated apart, each over its own length, which is what a length means.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from rnn_harness.arithmetic import Trajectory, Values, evaluate
from rnn_harness.arithmetic._ball import BallArithmetic
from rnn_harness.arithmetic.assumptions import UNDERFLOW, UNIT_ROUNDOFF
from rnn_harness.cases import Drawn
from rnn_harness.derive import derive, differentiate
from rnn_harness.links import Link
from rnn_harness.specs.program import Program
from rnn_harness.subjects import Subject

Array = NDArray[Any]
_radius = np.frompyfunc(lambda ball: float(arb(ball.rad())), 1, 1)


@dataclass(frozen=True)
class Balls:
    """An array of balls, with the radii as numbers where a relation adds them up."""

    values: Array

    @cached_property
    def radius(self) -> NDArray[np.float64]:
        """Every ball's radius; same shape."""
        found: NDArray[np.float64] = np.asarray(_radius(self.values), dtype=np.float64)
        return found


@dataclass(frozen=True)
class Enclosure:
    """What any implementation may compute: outputs (T, B, .), finals (B, d), symbols (T, B, .) by program name."""

    outputs: Balls
    finals: dict[str, Balls]
    symbols: dict[str, Balls]


@dataclass(frozen=True)
class GradientEnclosure:
    """What any backward may compute, by the reference's names: shapes as in `Gradients`."""

    inputs: Balls
    states: dict[str, Balls]
    parameters: dict[str, Balls]


@dataclass(frozen=True)
class Group:
    """Rows of one length, evaluated together."""

    rows: NDArray[np.intp]
    length: int
    trajectory: Trajectory


@functools.cache
def rounding(dtype: str) -> BallArithmetic:
    """Balls that hold every result rounded in `dtype`."""
    return BallArithmetic(UNIT_ROUNDOFF[dtype], UNDERFLOW[dtype])


@functools.cache
def truth() -> BallArithmetic:
    """Balls that hold the true value only."""
    return BallArithmetic()


@dataclass(frozen=True)
class Oracle:
    """A spec's program, run on the numbers a subject was given. `arithmetic`: any that `evaluate` takes."""

    subject: Subject
    sizes: Mapping[str, int]
    arithmetic: Any

    @cached_property
    def program(self) -> Program:
        return self.subject.spec.program(self.subject.layers)

    @cached_property
    def link(self) -> Link:
        return self.subject.link

    def groups(self, drawn: Drawn) -> Iterator[Group]:
        """Rows of equal length, evaluated over that length; rows of length 0 are left out."""
        batch = drawn.inputs.shape[1]
        lengths = np.full(batch, len(drawn.inputs)) if drawn.lengths is None else drawn.lengths
        parameters = self.link.to_spec(drawn.parameters)
        states = self.link.states_to_spec(drawn.states)
        for length in np.unique(lengths[lengths > 0]):
            rows = np.flatnonzero(lengths == length)
            values = Values(
                parameters,
                {self.link.inputs[0]: drawn.inputs[:length, rows]},
                {name: value[rows] for name, value in states.items()},
                self.sizes,
            )
            yield Group(rows, int(length), evaluate(self.program, values, self.arithmetic))

    def forward(self, drawn: Drawn) -> Enclosure:
        """Enclose everything a run computes."""
        steps, batch = drawn.inputs.shape[:2]
        outputs = self.program.outputs[0].name
        symbols: dict[str, Array] = {}
        finals = {name: _exact(value) for name, value in drawn.states.items()}
        for group in self.groups(drawn):
            for t, step in enumerate(group.trajectory.steps):
                for name, value in step.items():
                    if name not in symbols:
                        symbols[name] = _zeros((steps, batch, value.shape[-1]))
                    symbols[name][t, group.rows] = value
            for name, own in self.link.states.items():
                finals[own][group.rows] = group.trajectory.steps[self._last(name, group.length)][name]
        if outputs not in symbols:
            symbols[outputs] = _zeros((steps, batch, drawn.d_outputs.shape[-1]))
        return Enclosure(
            Balls(symbols[outputs]),
            {name: Balls(value) for name, value in finals.items()},
            {name: Balls(value) for name, value in symbols.items()},
        )

    def _last(self, state: str, length: int) -> int:
        """The step after which a state is final."""
        return 0 if self.link.directions[state] < 0 else length - 1

    def backward(self, drawn: Drawn) -> GradientEnclosure:
        """Enclose the gradients of sum(outputs * d_outputs) + sum(finals * d_finals)."""
        shapes = {name: value.shape for name, value in drawn.parameters.items()}
        inputs = _zeros(drawn.inputs.shape)
        states = {name: _exact(value) for name, value in drawn.d_finals.items()}
        parameters = {name: _zeros(shape) for name, shape in shapes.items()}
        derived = derive(self.program)
        output = self.program.outputs[0].name
        weights = []
        with self.arithmetic.scope():
            for group in self.groups(drawn):
                d_outputs = {output: drawn.d_outputs[: group.length, group.rows]}
                d_finals = {name: drawn.d_finals[own][group.rows] for name, own in self.link.states.items()}
                found = differentiate(derived, group.trajectory, d_outputs, d_finals, self.arithmetic)
                for t, value in enumerate(found.inputs.get(self.link.inputs[0], ())):
                    inputs[t, group.rows] = value
                for name, own in self.link.states.items():
                    if name in found.states:
                        states[own][group.rows] = found.states[name]
                for name, value in self.link.gradients(found.parameters, shapes).items():
                    parameters[name] = parameters[name] + value
                weights.append(group.length * len(group.rows))
            if len(weights) > 1:
                # A sum over all rows rounds each term more often than the sums over the groups did.
                factor = math.ceil(sum(weights) / min(weights))
                parameters = {name: _wider(value, factor) for name, value in parameters.items()}
        return GradientEnclosure(
            Balls(inputs),
            {name: Balls(value) for name, value in states.items()},
            {name: Balls(value) for name, value in parameters.items()},
        )


def _exact(value: Array) -> Array:
    return np.asarray(truth().array(np.asarray(value, dtype=np.float64)))


def _zeros(shape: tuple[int, ...]) -> Array:
    return np.full(shape, arb(0), dtype=object)


def _wider(balls: Array, factor: int) -> Array:
    widen = np.frompyfunc(lambda ball: ball.mid() + arb(0, arb(ball.rad()) * factor), 1, 1)
    return np.asarray(widen(balls), dtype=object)
