"""A recurrence in a model's own forward is judged without the output layer behind it, and only where that is behind."""

from __future__ import annotations

import pytest

from rnn_harness.validation import Target, ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.loading.inputs_of_head import target_of_head_inputs
from tests.helpers import HELPERS


def _target(name: str) -> Target:
    return load_target(f"{HELPERS / 'recurrences_with_heads.py'}:{name}")


@pytest.mark.parametrize("name", ["ManyToOne", "OfEveryStep", "AsManyClassesAsUnits"])
def test_an_output_layer_behind_the_recurrence_is_left_out(name: str) -> None:
    bare = target_of_head_inputs(_target(name))
    assert bare is not None
    assert "its output layer Why is left out" in bare.capabilities.notes[-1]
    assert {key.partition(".")[0] for key, _ in bare.make_module(4, 7).named_parameters()} == {"Wxh", "Whh"}


def test_an_output_layer_that_the_next_step_reads_is_kept() -> None:
    assert target_of_head_inputs(_target("FeedsBack")) is None


def test_scores_over_the_batch_hide_no_output_layer() -> None:
    assert target_of_head_inputs(_target("ProbabilitiesOverTheBatch")) is None


DEEP = pytest.mark.deep(
    "tests/unit/validation/test_inputs_of_head.py::test_a_recurrence_with_an_output_layer_is_judged"
)


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        pytest.param(
            "ManyToOne",
            "agrees",
            "",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_inputs_of_head.py::test_an_output_layer_behind_the_recurrence_is_left_out"
            ),
        ),
        pytest.param("AsManyClassesAsUnits", "agrees", "", marks=DEEP),
        ("Probabilities", "agrees", ""),
        ("WithGaps", "consistent", ""),
        pytest.param("WithGapsDetached", "refuted", "the gradients of the inputs", marks=DEEP),
        ("ForgetsItsState", "refuted", "the gradients of the state are wrong"),
    ],
)
def test_a_recurrence_with_an_output_layer_is_judged(name: str, outcome: str, words: str) -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    verdict = collect_validation(name, run_validation(_target(name), request))
    assert verdict.outcome == outcome
    assert words in (verdict.diagnosis.sentence() if verdict.diagnosis else "")
