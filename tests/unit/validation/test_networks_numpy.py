"""Networks of NumPy whose outputs are no states are judged by the slopes of their own forward."""

from __future__ import annotations

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.validation import ValidationRequest, collect_validation, identify, load_target, run_validation
from tests.helpers import HELPERS

FILE = HELPERS / "networks_numpy.py"


def gradients_of(name: str) -> str:
    """Outcome and reason of the check of the gradients."""
    request = ValidationRequest(dtypes=("float64",), examples=0)
    verdict = collect_validation(name, run_validation(load_target(f"{FILE}:{name}"), request))
    (record,) = [record for record in verdict.checks if record.check == "consistency.loss-gradients"]
    return f"{record.outcome}: {record.reason}"


@pytest.mark.parametrize(
    "name",
    [
        "TwoLayers",
        pytest.param(
            "Scores",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_networks_numpy.py::test_weight_decay_is_told_and_not_refuted"
            ),
        ),
        "Truncated",
        "StepsItself",
        "HasALearnedRate",
        "LastOfASeries",
        "ReadsTokens",
    ],
)
def test_a_right_backward_breaks_nothing(name: str) -> None:
    assert gradients_of(name) == "agrees: "


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("LosesTimeOfTheFirst", "the gradients of p/0, p/1, p/2, the input are not the slopes of its own outputs"),
        pytest.param(
            "TakesTheSlopeOfTheState",
            "the gradients of Wx, Wh, bh are not the slopes of its own loss; those of Wy",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_networks_numpy.py::"
                "test_a_wrong_backward_is_refuted_and_its_right_gradients_are_named"
            ),
        ),
        ("TakesTheStateBehind", "the gradients of Whh are not the slopes of its own outputs; those of Wxh, Why are"),
        ("OneWrongNumber", "the gradients of gain are not the slopes of its own loss"),
        ("LosesTheTranspose", "the gradients of W, b are not the slopes of its own outputs; those of V, c are"),
        ("StepsAlongTheWrongSide", "the gradients of Whh, Wxh, bh are not the slopes of its own outputs; those of Why"),
    ],
)
def test_a_wrong_backward_is_refuted_and_its_right_gradients_are_named(name: str, reason: str) -> None:
    assert gradients_of(name).startswith(f"refuted: {reason}")


def test_weight_decay_is_told_and_not_refuted() -> None:
    assert "the gradients of Wh have 0.01 times the weights in them" in gradients_of("WithWeightDecay")


@pytest.mark.parametrize("name", ["GradientOfScores", "NoMemory"])
def test_what_a_backward_is_meant_of_must_be_known(name: str) -> None:
    with pytest.raises(UsageError, match="cannot drive"):
        load_target(f"{FILE}:{name}")


def test_a_network_cannot_be_made_as_a_cell() -> None:
    target = load_target(f"{FILE}:TwoLayers")
    with pytest.raises(UsageError, match=r"TwoLayers, forward and backward: it gives outputs that are no states"):
        target.make_module(5, 3)
    with pytest.raises(UsageError, match="gives outputs that are no states: --spec and --map are about cells"):
        list(run_validation(target, ValidationRequest(spec="rnn.tanh")))


def test_a_cell_whose_matrix_takes_state_and_input_side_by_side_is_no_network() -> None:
    (identification, *_) = identify(load_target(f"{FILE}:StatesOfColumns"))
    assert identification.model.family == "rnn"
