"""Fast comparison of a subject with its spec in float64: for searching and shrinking, never for a verdict.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, k output size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from rnn_harness.arithmetic import NumpyArithmetic, Trajectory, evaluate
from rnn_harness.arithmetic.assumptions import SCREEN
from rnn_harness.array_types import Array
from rnn_harness.derivatives import derive, differentiate
from rnn_harness.references import Gradients
from rnn_harness.specs.program import Program
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.parameter_role import hidden_size
from rnn_harness.subjects.subject import LAYERS, Subject


@dataclass(frozen=True)
class Difference:
    """The worst place: `part` is ``outputs``, ``finals`` or a group of gradients, `name` the array in it.

    `size` is the difference relative to 1 + |expected|.
    """

    part: str
    name: str
    index: tuple[int, ...]
    found: float
    expected: float
    size: float

    @property
    def backward(self) -> bool:
        """Whether it is a gradient that differs."""
        return self.part not in ("outputs", "finals")


@cache
def _float64() -> NumpyArithmetic:
    return NumpyArithmetic(np.float64)


@cache
def _program(subject: Subject) -> Program:
    return subject.spec.program(LAYERS)


@cache
def _final_steps(subject: Subject) -> dict[str, int]:
    back = {state.name for one in _program(subject).passes if one.direction < 0 for state in one.carried}
    return {name: 0 if name in back else -1 for name in subject.states}


def difference(subject: Subject, arrays: CaseArrays, backward: bool = False) -> Difference | None:
    """The first kind of difference beyond the screen: outputs, finals, then gradients. None if there is none.

    `arrays` has no lengths. What the subject raises comes through.
    """
    run = subject.forward(arrays.parameters, arrays.inputs, arrays.states or None)
    trajectory = _evaluated(subject, arrays)
    expected = np.array([step[subject.output_name] for step in trajectory.steps])
    worst = _worst("outputs", "", run.outputs, expected)
    if worst is None:
        for name, step in _final_steps(subject).items():
            own = subject.states[name]
            found = _worst("finals", own, run.finals[own], trajectory.steps[step][name])
            if found is not None:
                return found
    if worst is not None or not backward:
        return worst
    gradients = subject.backward(run, arrays.d_outputs, arrays.d_finals or None)
    return _gradient_difference(subject, arrays, trajectory, gradients)


def _evaluated(subject: Subject, arrays: CaseArrays) -> Trajectory[Array]:
    sizes = {
        "n": arrays.inputs.shape[2],
        "d": hidden_size(arrays.parameters),
        "k": arrays.d_outputs.shape[2],
    }
    values = subject.values(arrays.parameters, arrays.inputs, arrays.states, sizes)
    return evaluate(_program(subject), values, _float64())


def _gradient_difference(
    subject: Subject, arrays: CaseArrays, trajectory: Trajectory[Array], gradients: Gradients
) -> Difference | None:
    d_finals = {name: arrays.d_finals[own] for name, own in subject.states.items()}
    outputs = {subject.output_name: arrays.d_outputs}
    true = differentiate(derive(_program(subject)), trajectory, outputs, d_finals, _float64())
    for name, value in subject.gradients(true.parameters, arrays.parameters).items():
        if name in subject.absent:
            continue
        found = _worst("parameters", name, gradients.parameters[name], value)
        if found is not None:
            return found
    for name, own in subject.states.items():
        if f"states.{own}" in subject.absent:
            continue
        found = _worst("states", own, gradients.states[own], true.states[name])
        if found is not None:
            return found
    steps = true.inputs.get(subject.input_name)
    return None if steps is None else _worst("inputs", "", gradients.inputs, np.array(steps))


def _worst(part: str, name: str, found: Array, expected: Array) -> Difference | None:
    if found.shape != expected.shape:
        return Difference(part, name, (), float("nan"), float("nan"), float("inf"))
    if not found.size:
        return None
    gap = np.abs(found - expected)
    if gap.max() <= SCREEN:
        return None
    sizes = np.where(np.isnan(gap), np.inf, gap / (1 + np.abs(expected)))
    where = int(sizes.argmax())
    size = float(sizes.flat[where])
    if size <= SCREEN:
        return None
    place = tuple(int(i) for i in np.unravel_index(where, found.shape))
    return Difference(part, name, place, float(found[place]), float(expected[place]), size)
