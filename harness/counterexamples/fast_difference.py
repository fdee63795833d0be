"""Fast comparison of a subject with its spec in float64: for searching and shrinking, never for a verdict."""

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
from rnn_harness.subjects.array_sizes import sizes_of
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.subject import LAYERS, Subject


@dataclass(frozen=True)
class Difference:
    """The place where a subject differs most from its equations.

    Attributes:
        part: ``outputs``, ``finals``, or a group of gradients: ``inputs``, ``states``, ``parameters``.
        name: the array in it, empty where there is one only.
        index: the entry of the array.
        computed: what the subject gives there.
        expected: what the equations give there.
        size: the difference relative to 1 + |expected|.
    """

    part: str
    name: str
    index: tuple[int, ...]
    computed: float
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
    """The index of the step after which each state is final, by spec state."""
    back = {state.name for walk in _program(subject).passes if walk.direction < 0 for state in walk.carried}
    return {name: 0 if name in back else -1 for name in subject.states}


def first_difference(subject: Subject, arrays: CaseArrays, backward: bool = False) -> Difference | None:
    """Return the worst place of the first part that differs beyond the screen: outputs, finals, then gradients.

    Args:
        subject: what is run; what it raises comes through.
        arrays: the numbers, without lengths.
        backward: whether gradients are compared as well.

    Returns:
        None if nothing differs.
    """
    run = subject.forward(arrays.parameters, arrays.inputs, arrays.states or None)
    trajectory = _evaluated(subject, arrays)
    expected = np.array([step[subject.output_name] for step in trajectory.steps])
    worst = _worst("outputs", "", run.outputs, expected)
    if worst is None:
        for name, step in _final_steps(subject).items():
            source = subject.states[name]
            if f"finals.{source}" in subject.absent:
                continue
            final = _worst("finals", source, run.finals[source], trajectory.steps[step][name])
            if final is not None:
                return final
    if worst is not None or not backward:
        return worst
    gradients = subject.backward(run, arrays.d_outputs, arrays.d_finals or None)
    return _gradient_difference(subject, arrays, trajectory, gradients)


def _evaluated(subject: Subject, arrays: CaseArrays) -> Trajectory[Array]:
    values = subject.values(arrays.parameters, arrays.inputs, arrays.states, sizes_of(subject, arrays))
    return evaluate(_program(subject), values, _float64())


def _gradient_difference(
    subject: Subject, arrays: CaseArrays, trajectory: Trajectory[Array], gradients: Gradients
) -> Difference | None:
    """The first gradient that differs: of a parameter, of an initial state, of the inputs."""
    d_finals = {name: arrays.d_finals[source] for name, source in subject.states.items()}
    outputs = {subject.output_name: arrays.d_outputs}
    true = differentiate(derive(_program(subject)), trajectory, outputs, d_finals, _float64())
    for name, gradient in subject.gradients(true.parameters, arrays.parameters).items():
        if name not in subject.absent:
            worst = _worst("parameters", name, gradients.parameters[name], gradient)
            if worst is not None:
                return worst
    for name, source in subject.states.items():
        if f"states.{source}" not in subject.absent:
            worst = _worst("states", source, gradients.states[source], true.states[name])
            if worst is not None:
                return worst
    steps = true.inputs.get(subject.input_name)
    return None if steps is None else _worst("inputs", "", gradients.inputs, np.array(steps))


def _worst(part: str, name: str, computed: Array, expected: Array) -> Difference | None:
    """The entry that differs most, or None if none is beyond the screen."""
    if computed.shape != expected.shape:
        return Difference(part, name, (), float("nan"), float("nan"), float("inf"))
    if not computed.size:
        return None
    gap = np.abs(computed - expected)
    if gap.max() <= SCREEN:
        return None
    sizes = np.where(np.isnan(gap), np.inf, gap / (1 + np.abs(expected)))
    where = int(sizes.argmax())
    size = float(sizes.flat[where])
    if size <= SCREEN:
        return None
    place = tuple(int(i) for i in np.unravel_index(where, computed.shape))
    return Difference(part, name, place, float(computed[place]), float(expected[place]), size)
