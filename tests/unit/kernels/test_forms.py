"""Alternative equations: where they stand, they widen the bound by what they round differently, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb

from rnn_harness.arithmetic import evaluate
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.cases.case import Case
from rnn_harness.evaluation.alternative_forms import forms, program_by, widest
from rnn_harness.kernels import Setting, choose_kernels
from rnn_harness.specs import library


def _spec(name: str):  # type: ignore[no-untyped-def]
    return next(spec for spec in library().specs if spec.id == name)


@pytest.mark.parametrize(("spec", "ids"), [("gru.reset_after", ("T-005",)), ("gru.stacked", ("T-043",))])
def test_both_forms_have_the_same_true_value(spec: str, ids: tuple[str, ...]) -> None:
    kernel = next(kernel for kernel in choose_kernels(("nn.GRU",)) if kernel.spec == spec)
    evaluation = kernel.evaluation(Setting("float64", "cpu"), Case(spec=spec, seed=3))
    printed, alternative = forms(_spec(spec), ids)
    assert printed != alternative
    name = evaluation.subject.output_name
    programs = (printed, alternative)
    first, second = (evaluate(p, evaluation.values, BallArithmetic()).steps[-1][name] for p in programs)
    assert all(a.overlaps(b) for a, b in zip(first.flat, second.flat, strict=True))


def test_the_alternative_replaces_the_equation_with_its_target_and_no_other() -> None:
    program = program_by(_spec("gru.bidirectional"), ("T-044", "T-045"))
    assert [a.equation for a in program.assignments if a.target.name.startswith("h_")] == ["T-044", "T-045"]
    assert len(program.assignments) == len(_spec("gru.bidirectional").program(2).assignments)


def test_an_id_that_is_no_alternative_is_refused() -> None:
    with pytest.raises(ValueError, match=r"T-004 is no alternative equation of gru\.reset_after"):
        program_by(_spec("gru.reset_after"), ("T-004",))


def test_the_widest_ball_is_taken_entry_by_entry() -> None:
    left = np.array([arb(1, 0.5), arb(2, 0.1)], dtype=object)
    right = np.array([arb(1, 0.1), arb(2, 0.5)], dtype=object)
    assert [float(arb(ball.rad())) for ball in widest([left, right])] == pytest.approx([0.5, 0.5])
