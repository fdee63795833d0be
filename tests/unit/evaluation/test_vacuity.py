"""A case that could not have failed does not count: each reason by a case that has it, and one that just has not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from rnn_harness.cases.case import Case
from rnn_harness.evaluation import evaluation as evaluation_module
from rnn_harness.evaluation import vacuity
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.vacuity import vacuity_reason
from rnn_harness.specs import library
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.subject import Subject

Change = Callable[[CaseArrays], None]


def _evaluation(spec: str = "gru.keep.column", change: Change | None = None, **case: int) -> Evaluation:
    subject = Subject.of(library().spec(spec))
    sizes = {"T": 3, "B": 2, "n": 3, "d": 4, "seed": 1, **case}
    evaluation = Evaluation.of(subject, Case(spec=spec, **sizes))  # type: ignore[arg-type]
    if change is not None:
        change(evaluation.arrays)
    return evaluation


def _set(table: str, name: str, value: object) -> Change:
    def change(arrays: CaseArrays) -> None:
        getattr(arrays, table)[name][...] = value

    return change


def _symmetric(arrays: CaseArrays) -> None:
    arrays.parameters["W_hz"] += arrays.parameters["W_hz"].T.copy()


def _constant_cotangent(arrays: CaseArrays) -> None:
    arrays.d_outputs[...] = 1.0


def _saturated(arrays: CaseArrays) -> None:
    arrays.parameters["b_r"][...] = [30.0, -30.0, 31.0, -32.0]
    for name in ("W_xr", "W_hr"):
        arrays.parameters[name] *= 2.0**-8


@pytest.mark.parametrize(
    ("change", "case", "reason"),
    [
        (None, {"T": 1}, "T is 1: nothing happens over time"),
        (None, {"B": 0}, "there is no batch row"),
        (_set("states", "h", 0.0), {}, "the initial state h is zero"),
        (_constant_cotangent, {}, "the output gradient is constant"),
        (_set("parameters", "W_xg", 0.5), {}, "parameter W_xg is constant"),
        (_symmetric, {}, "parameter W_hz is symmetric"),
        (_saturated, {}, "reset_gate is saturated everywhere"),
    ],
    ids=["one step", "no row", "zero state", "constant cotangent", "constant weight", "symmetric", "saturated"],
)
def test_a_case_that_proves_nothing_is_told_why(change: Change | None, case: dict[str, int], reason: str) -> None:
    assert vacuity_reason(_evaluation(change=change, **case)) == reason  # type: ignore[arg-type]


def _one_number_of_the_state(arrays: CaseArrays) -> None:
    arrays.states["h"][...] = 0
    arrays.states["h"][0, 0] = 0.5


def _one_open_gate(arrays: CaseArrays) -> None:
    _saturated(arrays)
    arrays.parameters["b_r"][0] = 0.0


def _one_other_weight(arrays: CaseArrays) -> None:
    arrays.parameters["W_xg"][...] = 0.5
    arrays.parameters["W_xg"][0, 0] = 0.25


def _nearly_symmetric(arrays: CaseArrays) -> None:
    _symmetric(arrays)
    arrays.parameters["W_hz"][0, 1] += 0.5


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (None, {}),
        (None, {"T": 2}),
        (None, {"B": 1}),
        (None, {"d": 1}),
        (_one_number_of_the_state, {}),
        (_one_open_gate, {}),
        (_one_other_weight, {}),
        (_nearly_symmetric, {}),
    ],
    ids=["generic", "two steps", "one row", "one unit", "one number", "one open gate", "one weight", "not symmetric"],
)
def test_a_case_that_could_have_failed_counts(change: Change | None, case: dict[str, int]) -> None:
    assert vacuity_reason(_evaluation(change=change, **case)) is None  # type: ignore[arg-type]


def test_a_parameter_whose_effect_is_lost_in_rounding_makes_a_case_vacuous(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a margin that the smallest gradient just has, the case counts; beyond it, it does not."""
    evaluation = _evaluation(d=2, n=2)
    shares = {
        name: max(float(ball.mid().abs_lower()) for ball in balls.flat) / max(float(ball.rad()) for ball in balls.flat)
        for name, balls in evaluation.gradient_balls.items()
    }
    weakest = min(shares, key=lambda name: shares[name])
    monkeypatch.setattr(evaluation_module, "GUARD_MARGIN", int(shares[weakest] * 0.9))
    assert vacuity_reason(evaluation) is None
    monkeypatch.setattr(evaluation_module, "GUARD_MARGIN", int(shares[weakest] * 1.1))
    reason = vacuity_reason(evaluation)
    assert reason is not None
    assert reason.startswith(f"{weakest} moves the output by less than")


def test_the_limit_of_saturation_is_the_assumption(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = _evaluation()
    monkeypatch.setattr(vacuity, "SATURATION", Fraction(1, 2**20))
    assert vacuity_reason(evaluation) is not None


def test_what_a_subject_lacks_need_not_be_generic() -> None:
    evaluation = _evaluation(change=_set("parameters", "W_xg", 0.5))
    subject = dataclasses.replace(evaluation.subject, absent=("W_xg",))
    assert vacuity_reason(Evaluation(subject, evaluation.arrays)) != "parameter W_xg is constant"
    assert np.ptp(evaluation.arrays.parameters["W_xg"]) == 0
