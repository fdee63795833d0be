"""ONNX graphs without a recurrent node are driven: steps of operations, loops, and steps of several layers."""

from __future__ import annotations

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.loading.target import TRIAL_SIZES
from rnn_harness.validation.models.judge_model import wiring_statements
from rnn_harness.validation.models.understand import understand
from tests.helpers import HELPERS

FILE = HELPERS / "onnx_steps.py"


@pytest.mark.deep("tests/power/test_wrong_models.py::test_the_mistake_in_the_wiring_of_a_model_is_named")
def test_a_step_of_operations_is_identified() -> None:
    pytest.importorskip("onnx")
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation("step", run_validation(load_target(f"{FILE}:step"), request))
    assert validation.outcome == "agrees"
    assert validation.identification is not None
    assert validation.identification.sentence.startswith("simple RNN: tanh activation; no bias")


def test_of_a_graph_that_was_unrolled_it_is_told_that_its_lengths_are_fixed() -> None:
    pytest.importorskip("onnx")
    with pytest.raises(UsageError, match=r"input x has the fixed shape \(2, 3, 3\): it was unrolled"):
        load_target(f"{FILE}:unrolled").make_module(*TRIAL_SIZES)


@pytest.mark.deep("tests/power/test_wrong_models.py::test_the_mistake_in_the_wiring_of_a_model_is_named")
@pytest.mark.parametrize(
    ("name", "check", "words"),
    [
        ("both_directions", "", ""),
        ("not_turned_back", "time", "the outputs of the reverse direction are not turned back"),
        ("two_layers", "", ""),
        ("lower_state_for_both", "returned-state", "in the places of h[0] and h[1] are the same numbers"),
    ],
)
def test_what_is_wired_wrong_in_a_graph_is_named(name: str, check: str, words: str) -> None:
    pytest.importorskip("onnx")
    statements = wiring_statements(understand(load_target(f"{FILE}:{name}")))
    refuted = [statement for statement in statements if statement.outcome is Outcome.REFUTED]
    assert [statement.check for statement in refuted] == ([check] if check else [])
    assert all(words in statement.sentence for statement in refuted)
