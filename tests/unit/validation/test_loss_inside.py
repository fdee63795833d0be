"""NumPy code that gives a loss, its gradients and the last state is judged without its equations."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from tests.helpers import HELPERS

FILE = HELPERS / "loss_inside.py"
IN_TWO_PARTS = HELPERS / "losses_in_two_parts.py"


def outcomes(name: str, file: Path = FILE) -> dict[str, str]:
    """The outcome of each check, and the reason where there is one."""
    target = load_target(f"{file}:{name}")
    request = ValidationRequest(dtypes=("float64",), examples=0)
    verdict = collect_validation(name, run_validation(target, request))
    return {record.check.rpartition(".")[2]: f"{record.outcome}: {record.reason}" for record in verdict.checks}


@pytest.mark.parametrize(
    "name",
    [
        "loss_function",
        "CharacterModel",
        "weights_in_a_dictionary",
        pytest.param(
            "weights_apart",
            marks=pytest.mark.deep("tests/unit/validation/test_loss_inside.py::test_a_right_loss_breaks_nothing"),
        ),
    ],
)
def test_a_right_loss_breaks_nothing(name: str) -> None:
    decided = outcomes(name)
    assert {check: decided[check] for check in ("loss-gradients", "state-used", "split-sequence")} == {
        "loss-gradients": "agrees: ",
        "state-used": "agrees: ",
        "split-sequence": "agrees: ",
    }


def test_a_gradient_through_the_wrong_side_of_a_weight_is_refuted() -> None:
    assert outcomes("through_the_wrong_side")["loss-gradients"].startswith(
        "refuted: the gradients of Whh are not the slopes of its own loss"
    )


def test_a_wrong_slope_is_refuted_where_the_weights_are_arguments() -> None:
    assert outcomes("wrong_slope")["loss-gradients"] == (
        "refuted: the gradients of Wxh, Whh, bh are not the slopes of its own loss; those of Why, by are"
    )


def test_a_last_state_that_is_the_first_one_is_refuted() -> None:
    assert outcomes("ForgetsItsState")["split-sequence"].startswith("refuted: ")


def test_gradients_of_the_sum_of_a_mean_loss_are_told_and_not_refuted() -> None:
    assert "4 times the slopes" in outcomes("SumOfGradients")["loss-gradients"]


def test_a_loss_cannot_be_held_against_the_equations_of_a_cell() -> None:
    target = load_target(f"{FILE}:loss_function")
    with pytest.raises(UsageError, match="computes a loss"):
        list(run_validation(target, ValidationRequest(spec="gru.yunjey")))
    with pytest.raises(UsageError, match="computes a loss"):
        target.make_module(5, 3)


@pytest.mark.parametrize("name", ["TwoMethods", "CutAtOnce", "FromAState", "LossFromZero", "leaves_gradients"])
def test_gradients_of_another_method_or_in_globals_are_those_of_the_loss(name: str) -> None:
    assert outcomes(name, IN_TWO_PARTS)["loss-gradients"] == "agrees: "


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("TakesTheSlopeOfTheStep", "the gradients of U, W are not the slopes of its own loss; those of V are"),
        ("leaves_half_a_bias", "the gradients of b are not the slopes of its own loss; those of Wx, Wh, Wy are"),
    ],
)
def test_wrong_gradients_of_another_method_or_in_globals_are_refuted(name: str, reason: str) -> None:
    assert outcomes(name, IN_TWO_PARTS)["loss-gradients"] == f"refuted: {reason}"


def test_a_loss_of_a_fixed_number_of_steps_is_taken_in_one_piece() -> None:
    assert outcomes("leaves_gradients", IN_TWO_PARTS)["split-sequence"] == "not run: it is run over 6 steps alone"


def test_a_loss_that_is_nan_is_told_as_that() -> None:
    with pytest.raises(
        UsageError, match="computes a loss, which is NaN or infinite for weights and states of ordinary"
    ):
        load_target(f"{IN_TWO_PARTS}:is_no_number")
