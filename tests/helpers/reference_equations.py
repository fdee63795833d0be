"""References against the equations as printed, on small cases whose expectations are there before the first test runs.

The runs of `tests.helpers.reference_mutation` collect this file; the suite asks the same of ``rnn-harness verify``.
"""

from __future__ import annotations

import pytest

from rnn_harness.cases.case import Case
from rnn_harness.checks import all_checks
from rnn_harness.engine.runner import run_check
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject

CHECKS = tuple(
    check for check in all_checks() if check.name in ("forward.equation", "forward.outputs", "backward.bound")
)


def _prepared(spec: str, case: Case) -> Evaluation:
    """The evaluation of a spec's reference with all that is expected of it, and nothing of the reference."""
    evaluation = Evaluation.of(Subject.of(library().spec(spec)), case)
    assert evaluation.balls
    assert evaluation.gradient_balls
    return evaluation


EVALUATIONS = {
    spec.id: _prepared(spec.id, Case(spec=spec.id, seed=1, T=3, B=2))
    for spec in library().specs
    if spec.reference is not None
}


@pytest.mark.parametrize("spec", EVALUATIONS)
def test_a_reference_computes_its_equations(spec: str) -> None:
    evaluation = EVALUATIONS[spec]
    evaluation.__dict__.pop("run", None)
    evaluation.__dict__.pop("gradients", None)
    for check in CHECKS:
        if check.supports(evaluation.subject):
            for finding in run_check(check, evaluation):
                assert finding.agrees, f"{check.name}: {finding.detail}"
