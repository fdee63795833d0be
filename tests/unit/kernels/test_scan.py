"""A real defect: torch 2.13's scan under inductor. The harness must refute it, and say what alone is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rnn_harness.cases.case import Case
from rnn_harness.kernels import choose_kernels, judge_kernels
from rnn_harness.kernels.drivers.compiled import missing_compiler
from rnn_harness.kernels.setting import Setting
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

(SCAN,) = choose_kernels(("scan",))
FLOAT32 = Setting("float32", "cpu")
pytestmark = [
    pytest.mark.skipif(not torch.__version__.startswith("2.13."), reason="not run: the defect is torch 2.13's"),
    pytest.mark.skipif(missing_compiler(FLOAT32) is not None, reason=f"not run: {missing_compiler(FLOAT32)}"),
]


@pytest.fixture(scope="module")
def records() -> dict[str, Record]:
    without_properties = replace(SCAN, metamorphic=False)
    return {record.check: record for record in judge_kernels((without_properties,), examples=0)}


@pytest.mark.deep("tests/power/test_agreement.py::test_a_kernel_is_the_one_asked_for_and_agrees_with_its_equations")
def test_the_forward_of_the_scan_agrees(records: dict[str, Record]) -> None:
    assert records["kernel.dispatch"].outcome is Outcome.AGREES
    assert records["precision.format"].outcome is Outcome.AGREES


@pytest.mark.deep("tests/power/test_agreement.py::test_a_kernel_is_the_one_asked_for_and_agrees_with_its_equations")
def test_only_the_gradient_of_the_recurrent_weights_is_refuted(records: dict[str, Record]) -> None:
    record = records["backward.bound"]
    assert record.outcome is Outcome.REFUTED
    wrong, right = record.reason.split("; wrong: ")[1].split("; right: ")
    assert set(wrong.split(", ")) == {f"parameters.W_h{gate}" for gate in "ifog"}
    assert {"inputs", "states.h", "states.c", "parameters.W_xi", "parameters.b_f"} <= set(right.split(", "))


@pytest.mark.deep("tests/power/test_agreement.py::test_a_kernel_is_the_one_asked_for_and_agrees_with_its_equations")
def test_where_inputs_and_hidden_states_differ_in_size_the_same_kernel_is_right() -> None:
    case = Case(spec="lstm.column", n=3, d=4, B=2, T=100, dtype="float32", seed=1)
    evaluation = SCAN.evaluation(FLOAT32, case)
    gradients, balls = evaluation.flat_gradients, evaluation.gradient_balls
    assert all(
        ball.overlaps(type(ball)(float(gradient)))
        for name in balls
        for ball, gradient in zip(balls[name].flat, gradients[name].flat, strict=True)
    )


def test_a_known_defect_is_left_out_unless_it_is_named() -> None:
    assert SCAN not in choose_kernels(())
    assert SCAN in choose_kernels((), include_known_wrong=True)
