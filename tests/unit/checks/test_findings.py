"""What checks say of runs that are right, and of runs that are off in one number: nothing is lost on the way."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from flint import arb

from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case
from rnn_harness.checks import Finding, all_checks
from rnn_harness.checks.check import compare_with_balls, worst_finding
from rnn_harness.checks.metamorphic.comparison import apart, at_most, close, identical
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.references import Gradients, Run
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject

CHECK_BY_NAME = {check.name: check for check in all_checks()}
SPECS = ("rnn.tanh", "gru.keep.column", "lstm.column", "rnn.bidirectional", "rnn.stacked")
OF_GRADIENTS = ("bound", "screen", "blocks", "entries", "quotient", "autograd")


def _evaluation(spec: str) -> Evaluation:
    return Evaluation.of(Subject.of(library().spec(spec)), Case(spec=spec, T=3, B=2, n=3, d=2, seed=1))


def _findings(name: str, evaluation: Evaluation) -> list[Finding]:
    return list(CHECK_BY_NAME[name].run(evaluation))


def _with_run(evaluation: Evaluation, run: Run) -> Evaluation:
    evaluation.__dict__["run"] = run
    return evaluation


def _with_gradients(evaluation: Evaluation, gradients: Gradients) -> Evaluation:
    evaluation.__dict__["gradients"] = gradients
    return evaluation


def test_a_number_outside_its_ball_is_a_finding_with_its_size() -> None:
    balls = np.array([arb(1, 0.5), arb(-4, 0.25)], dtype=object)
    inside = compare_with_balls("E", "x", balls, np.array([1.25, -4.0]))
    assert inside.agrees
    assert inside.error_over_bound == pytest.approx(0.5)
    assert inside.error == pytest.approx(0.25)
    assert inside.bound == pytest.approx(0.5, rel=2.0**-20)
    assert inside.bits == pytest.approx(4.0)
    outside = compare_with_balls("E", "x", balls, np.array([1.0, -3.625]))
    assert not outside.agrees
    assert outside.error_over_bound == pytest.approx(1.5)
    assert outside.detail == "x[1] is -3.625, the equation gives -4.0"
    lost = compare_with_balls("E", "x", balls, np.array([math.nan, -4.0]))
    assert (lost.agrees, lost.error, lost.bits) == (False, math.inf, 0.0)
    other_shape = compare_with_balls("E", "x", balls, np.array([[1.0, -4.0]]))
    assert (other_shape.agrees, other_shape.detail) == (False, "x has shape (1, 2), expected (2,)")


def test_a_refutation_weighs_more_than_the_largest_share() -> None:
    near, wrong = Finding("E", True, error_over_bound=0.9), Finding("E", False, error_over_bound=0.5)
    assert worst_finding([near, wrong]) is wrong
    far = Finding("E", True, error_over_bound=0.95)
    assert worst_finding([near, far, Finding("E", True)]) is far


@pytest.mark.parametrize("spec", SPECS)
def test_every_equation_with_a_trace_has_one_finding_and_a_right_run_agrees(spec: str) -> None:
    evaluation = _evaluation(spec)
    findings = _findings("forward.equation", evaluation)
    traced = {step.equation for step in evaluation.program.assignments if step.target.name in evaluation.subject.trace}
    assert [finding.entry for finding in findings] == sorted(traced, key=[f.entry for f in findings].index)
    assert {finding.entry for finding in findings} == traced
    for name in ("forward.outputs", "forward.sequence"):
        findings += _findings(name, evaluation)
    assert all(finding.agrees for finding in findings)


@pytest.mark.parametrize("layer", [0, 1])
def test_of_two_assignments_of_one_equation_either_is_seen(layer: int) -> None:
    evaluation = _evaluation("rnn.stacked")
    run = evaluation.run
    name = f"layer{layer}.hidden_state"
    trace = {**run.trace, name: run.trace[name].copy()}
    trace[name][-1, 0, 0] += 2.0**-30
    (finding,) = _findings("forward.equation", _with_run(evaluation, dataclasses.replace(run, trace=trace)))
    assert not finding.agrees


@pytest.mark.parametrize("spec", ["rnn.tanh", "lstm.column", "rnn.bidirectional"])
@pytest.mark.parametrize("step", [0, -1])
def test_one_number_of_the_outputs_that_is_off_is_seen(spec: str, step: int) -> None:
    evaluation = _evaluation(spec)
    outputs = evaluation.run.outputs.copy()
    outputs[step, 0, 0] += 2.0**-30
    run = dataclasses.replace(evaluation.run, outputs=outputs)
    (sequence,) = _findings("forward.sequence", _with_run(evaluation, run))
    assert not sequence.agrees
    if evaluation.subject.output_name in evaluation.subject.trace:
        (finding,) = _findings("forward.outputs", evaluation)
        assert not finding.agrees


@pytest.mark.parametrize("spec", SPECS)
def test_one_number_of_a_final_state_that_is_off_is_seen(spec: str) -> None:
    for name in _evaluation(spec).run.finals:
        evaluation = _evaluation(spec)
        finals = {key: value.copy() for key, value in evaluation.run.finals.items()}
        finals[name][0, 0] += 2.0**-30
        run = dataclasses.replace(evaluation.run, finals=finals)
        (finding,) = _findings("forward.outputs", _with_run(evaluation, run))
        assert not finding.agrees
        assert name in finding.detail


@pytest.mark.parametrize("check", OF_GRADIENTS)
@pytest.mark.parametrize("spec", SPECS)
def test_a_right_backward_agrees_and_its_share_is_the_error_over_the_bound(spec: str, check: str) -> None:
    (finding,) = _findings(f"backward.{check}", _evaluation(spec))
    assert finding.agrees, finding.detail
    assert finding.error_over_bound is not None
    assert finding.error_over_bound <= 1
    if finding.error and finding.bound and check in ("screen", "quotient"):
        assert finding.error_over_bound == pytest.approx(finding.error / finding.bound)


def _off(gradients: Gradients, name: str) -> Gradients:
    """The same gradients with one number of one of them off by a millionth of its size, or of 1."""

    def moved(value: Array) -> Array:
        value = value.copy()
        value.flat[-1] += 2.0**-20 * max(1.0, abs(float(value.flat[-1])))
        return value

    group, _, key = name.partition(".")
    if group == "inputs":
        return dataclasses.replace(gradients, inputs=moved(gradients.inputs))
    table: dict[str, Array] = gradients.states if group == "states" else gradients.parameters
    return dataclasses.replace(gradients, **{group: {**table, key: moved(table[key])}})  # type: ignore[arg-type]


@pytest.mark.parametrize("check", OF_GRADIENTS)
@pytest.mark.parametrize("spec", ["rnn.tanh", "gru.keep.column"])
def test_one_number_of_any_gradient_that_is_off_is_seen(spec: str, check: str) -> None:
    for name in _evaluation(spec).flat_gradients:
        evaluation = _evaluation(spec)
        (finding,) = _findings(f"backward.{check}", _with_gradients(evaluation, _off(evaluation.gradients, name)))
        assert not finding.agrees, name


def test_a_gradient_that_is_missing_is_named() -> None:
    evaluation = _evaluation("rnn.tanh")
    gradients = evaluation.gradients
    parameters = {name: value for name, value in gradients.parameters.items() if name != "b"}
    evaluation = _with_gradients(evaluation, dataclasses.replace(gradients, parameters=parameters))
    (finding,) = _findings("backward.bound", evaluation)
    assert not finding.agrees
    assert "gradient parameters.b is missing" in finding.detail


def test_where_torch_itself_is_off_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    right = TorchArithmetic.gradient
    monkeypatch.setattr(TorchArithmetic, "gradient", lambda self, leaf: right(self, leaf) * (1 + 2.0**-20))
    (finding,) = _findings("backward.autograd", _evaluation("rnn.tanh"))
    assert not finding.agrees
    assert finding.detail.startswith("torch's gradient")


ONE = np.array([1.0])


def test_comparisons_hold_as_far_as_they_say_and_no_further() -> None:
    def judged(comparison: object) -> tuple[bool, float | None]:
        judgement = comparison.judge()  # type: ignore[attr-defined]
        return judgement.agrees, judgement.error_over_bound

    assert judged(close("x", ONE, ONE + 0.25, lambda: ONE * 0.5)) == (True, 0.5)
    assert judged(close("x", ONE, ONE - 0.75, lambda: ONE * 0.5)) == (False, 1.5)
    assert judged(close("x", ONE, ONE + 0.75, lambda: ONE * 0.5)) == (False, 1.5)
    assert judged(identical("x", ONE, ONE)) == (True, 0.0)
    assert judged(identical("x", ONE, ONE + 2.0**-52))[0] is False
    assert judged(at_most("x", ONE, 2.0))[0] is True
    assert judged(at_most("x", ONE, 0.5))[0] is False
    assert judged(at_most("x", ONE, 0.5, lambda: ONE))[0] is True
    assert judged(apart("x", ONE, ONE + 0.25, lambda: ONE * 0.5))[0] is False
    assert judged(apart("x", ONE, ONE + 0.75, lambda: ONE * 0.5))[0] is True
    assert judged(close("x", ONE * math.nan, ONE, lambda: ONE))[0] is False
    assert judged(close("x", ONE, ONE * math.inf, lambda: ONE * math.inf))[0] is False
    assert close("x", np.empty(0), np.empty(0), lambda: ONE).judge() is None
