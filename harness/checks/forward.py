"""The forward pass against the equations, each judged on the subject's own operands."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.checks.check import Check, Finding, always, merge, within
from rnn_harness.derivatives.single_equation import local_name, local_program
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Trial
from rnn_harness.specs.expression import Role, variables
from rnn_harness.specs.program import Assignment
from rnn_harness.subjects.subject import LAYERS, Subject

Array = NDArray[Any]


@functools.cache
def assignments(subject: Subject) -> tuple[Assignment, ...]:
    """Every assignment to be judged: the program's, and the alternative forms."""
    rows = list(subject.spec.program(LAYERS).assignments)
    for equation in subject.spec.equations:
        if equation.alternative:
            rows += subject.spec.assignment(equation.id)
    return tuple(rows)


def over_time(trial: Trial, name: str, offset: int) -> Array:
    """A spec symbol's own values for all steps, (T, B, .), `offset` steps away (the initial state at the border)."""
    subject = trial.subject
    if name == subject.input_name:
        return trial.drawn.inputs
    if name not in subject.trace:
        raise NotRun(f"trace in [reference] of {subject.spec.id} does not say what {name} is called in the run's trace")
    now = trial.run.trace[subject.trace[name]]
    if offset == 0:
        return now
    initial = trial.drawn.states[subject.states[name]][None]
    return np.concatenate([initial, now[:-1]] if offset < 0 else [now[1:], initial])


def _balls(trial: Trial, assignment: Assignment) -> Array:
    """What an assignment gives on the subject's own operands, (T, B, .)."""
    operands = [v for v in variables(assignment.expression) if v.role is not Role.PARAMETER]
    inputs = {local_name(v): over_time(trial, v.name, v.time or 0) for v in operands}
    values = Values(trial.values.parameters, inputs, {}, trial.case.sizes)
    steps = evaluate(local_program(assignment), values, trial.bounded).steps
    return np.stack([step[assignment.target.name] for step in steps])


_at_least = np.frompyfunc(lambda ball, other: ball.mid() + arb(0, arb(ball.rad()).max(arb(other.rad()))), 2, 1)


def _equations(trial: Trial) -> Iterator[Finding]:
    found: dict[str, list[Finding]] = {}
    program = {one.target.name: one for one in trial.subject.spec.program(LAYERS).assignments}
    for assignment in assignments(trial.subject):
        target = assignment.target.name
        if target not in trial.subject.trace:
            continue
        expected = _balls(trial, assignment)
        printed = program.get(target, assignment)
        if printed.equation != assignment.equation:
            # A subject computes one form: of another one it must have the true value, with its own form's rounding.
            expected = np.asarray(_at_least(expected, _balls(trial, printed)), dtype=object)
        finding = within(assignment.equation, target, expected, over_time(trial, target, 0))
        found.setdefault(assignment.equation, []).append(finding)
    for findings in found.values():
        yield merge(findings)


def _outputs(trial: Trial) -> Iterator[Finding]:
    """Outputs and final states are what the equations say they are: bit by bit the traced values."""
    subject, entry = trial.subject, trial.subject.spec.id
    own = over_time(trial, subject.output_name, 0) if subject.output_name in subject.trace else None
    if own is not None and not np.array_equal(own, trial.run.outputs):
        yield Finding(entry, False, f"the outputs differ from {subject.output_name} over time")
        return
    backward = {s.name for one in trial.program.passes if one.direction < 0 for s in one.carried}
    for name, source in subject.states.items():
        own = over_time(trial, name, 0)[0 if name in backward else -1]
        if not np.array_equal(own, trial.run.finals[source]):
            yield Finding(entry, False, f"the final state {source} is not the last {name}")
            return
    yield Finding(entry, True)


def _whole(trial: Trial) -> Iterator[Finding]:
    """Outputs over the sequence within the whole sequence's bound, for subjects of any kind."""
    name = trial.subject.output_name
    expected = np.stack([step[name] for step in trial.balls.steps])
    yield within(trial.subject.spec.id, f"output {name}", expected, trial.run.outputs)


CHECKS = (
    Check("forward.equation", "reference", always, _equations),
    Check("forward.outputs", "reference", always, _outputs),
    Check("forward.sequence", "reference", always, _whole),
)
