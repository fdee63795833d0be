"""The forward pass against the equations, each judged on the subject's own operands."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
from flint import arb

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.array_types import Array
from rnn_harness.checks.check import Check, Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.derivatives.single_equation import local_name, local_program
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.specs.expression import Role, variables
from rnn_harness.specs.program import Assignment
from rnn_harness.subjects.subject import LAYERS, Subject


@functools.cache
def assignments(subject: Subject) -> tuple[Assignment, ...]:
    """Return every assignment to be judged: the program's, and the alternative forms.

    Args:
        subject: its spec is meant; nothing is run.
    """
    rows = list(subject.spec.program(LAYERS).assignments)
    for equation in subject.spec.equations:
        if equation.alternative:
            rows += subject.spec.assignment(equation.id)
    return tuple(rows)


def over_time(evaluation: Evaluation, name: str, offset: int) -> Array:
    """Return the subject's own values of a spec symbol for all steps.

    Args:
        evaluation: the run to read them from.
        name: the spec's symbol.
        offset: how many steps away; past the border stands the initial state.

    Returns:
        (T, B, .).

    Raises:
        NotRun: the subject shows no such value.
    """
    subject = evaluation.subject
    if name in subject.input_names:
        return subject.inputs_apart(evaluation.arrays.inputs, evaluation.case.sizes)[name]
    if name not in subject.trace:
        raise NotRun(f"trace in [reference] of {subject.spec.id} does not say what {name} is called in the run's trace")
    now = evaluation.run.trace[subject.trace[name]]
    if offset == 0:
        return now
    initial = evaluation.arrays.states[subject.states[name]][None]
    return np.concatenate([initial, now[:-1]] if offset < 0 else [now[1:], initial])


def _balls(evaluation: Evaluation, assignment: Assignment) -> Array:
    """Evaluate one assignment on the subject's own operands: balls, (T, B, .)."""
    operands = [v for v in variables(assignment.expression) if v.role is not Role.PARAMETER]
    inputs = {local_name(v): over_time(evaluation, v.name, v.time or 0) for v in operands}
    values = Values(evaluation.values.parameters, inputs, {}, evaluation.case.sizes)
    steps = evaluate(local_program(assignment), values, evaluation.bounded).steps
    return np.stack([step[assignment.target.name] for step in steps])


_at_least = np.frompyfunc(lambda ball, wider: ball.mid() + arb(0, arb(ball.rad()).max(arb(wider.rad()))), 2, 1)


def _equations(evaluation: Evaluation) -> Iterator[Finding]:
    """Every equation by itself, on the subject's own operands."""
    by_equation: dict[str, list[Finding]] = {}
    program = {assignment.target.name: assignment for assignment in evaluation.program.assignments}
    for assignment in assignments(evaluation.subject):
        target = assignment.target.name
        if target not in evaluation.subject.trace:
            continue
        expected = _balls(evaluation, assignment)
        printed = program.get(target, assignment)
        if printed.equation != assignment.equation:
            # A subject computes one form: of another one it must have the true value, with its own form's rounding.
            expected = np.asarray(_at_least(expected, _balls(evaluation, printed)), dtype=object)
        finding = compare_with_balls(assignment.equation, target, expected, over_time(evaluation, target, 0))
        by_equation.setdefault(assignment.equation, []).append(finding)
    for findings in by_equation.values():
        yield worst_finding(findings)


def _outputs(evaluation: Evaluation) -> Iterator[Finding]:
    """Outputs and final states are what the equations say they are: bit by bit the traced values."""
    subject, entry = evaluation.subject, evaluation.subject.spec.id
    traced = over_time(evaluation, subject.output_name, 0) if subject.output_name in subject.trace else None
    if traced is not None and not np.array_equal(traced, evaluation.run.outputs):
        yield Finding(entry, False, f"the outputs differ from {subject.output_name} over time")
        return
    backward = {state.name for walk in evaluation.program.passes if walk.direction < 0 for state in walk.carried}
    for name, source in subject.states.items():
        if f"finals.{source}" in subject.absent:
            continue
        last = over_time(evaluation, name, 0)[0 if name in backward else -1]
        if not np.array_equal(last, evaluation.run.finals[source]):
            yield Finding(entry, False, f"the final state {source} is not the last {name}")
            return
    yield Finding(entry, True)


def _sequence(evaluation: Evaluation) -> Iterator[Finding]:
    """Outputs over the sequence within the whole sequence's bound, for subjects of any kind."""
    name = evaluation.subject.output_name
    expected = np.stack([step[name] for step in evaluation.balls.steps])
    yield compare_with_balls(evaluation.subject.spec.id, f"output {name}", expected, evaluation.run.outputs)


CHECKS = (
    Check("forward.equation", "reference", applies_to_all, _equations),
    Check("forward.outputs", "reference", applies_to_all, _outputs),
    Check("forward.sequence", "reference", applies_to_all, _sequence),
)
