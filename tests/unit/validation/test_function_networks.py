"""Pairs of NumPy functions that give no states: gradients of predictions are judged, and two directions as a layer."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_harness.array_types import Array
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.adapters.parameter_makers import make_parameters
from tests.helpers import HELPERS
from tests.helpers.function_networks import init_params

FILE = HELPERS / "function_networks.py"


def reasons(name: str) -> dict[str, str]:
    """The reason of each check that is refuted; the outcome under an empty name."""
    request = ValidationRequest(dtypes=("float64",), examples=0)
    verdict = collect_validation(name, run_validation(load_target(f"{FILE}:{name}"), request))
    refuted = {record.check: record.reason for record in verdict.checks if record.outcome == "refuted"}
    return {"": verdict.outcome, **refuted}


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("scores", "consistent"),
        ("Batched", "agrees"),
        pytest.param(
            "both_forward",
            "consistent",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_function_networks.py::test_a_wrong_pair_is_refuted_for_what_is_wrong"
            ),
        ),
    ],
)
def test_of_a_right_pair_nothing_is_refuted(name: str, outcome: str) -> None:
    assert reasons(name) == {"": outcome}


@pytest.mark.parametrize(
    ("name", "check", "reason"),
    [
        (
            "mean_scores",
            "consistency.loss-gradients",
            "the gradients of params/b are not the slopes of its own outputs; those of params/Wx, params/Wh, "
            "params/Wy, initial states/h0, the input are",
        ),
        pytest.param(
            "stale_scores",
            "consistency.loss-gradients",
            "the gradients of initial states/h0 are not the slopes of its own outputs; those of params/Wx, params/Wh, "
            "params/b, params/Wy, the input are",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_function_networks.py::test_a_wrong_pair_is_refuted_for_what_is_wrong"
            ),
        ),
        (
            "unturned_forward",
            "consistency.order-of-steps",
            "the second half of the outputs is not in the order of the other half: it reads backward in time, and the "
            "output of a step stands at another one",
        ),
    ],
)
def test_a_wrong_pair_is_refuted_for_what_is_wrong(name: str, check: str, reason: str) -> None:
    assert reasons(name)[check] == reason


def test_the_gradients_of_a_wrong_pair_that_is_identified_are_held_to_its_equations() -> None:
    refuted = reasons("WrongBatched")
    assert refuted[""] == "refuted"
    assert refuted["backward.bound"].startswith("gradient states.h")


def test_a_maker_of_parameters_may_want_the_size_of_predictions_too() -> None:
    made = make_parameters(init_params, 5, 3)
    assert isinstance(made, dict)
    assert {name: value.shape for name, value in made.items()} == {"Wx": (5, 3), "Wh": (3, 3), "b": (3,), "Wy": (3, 2)}


def test_a_maker_of_parameters_may_call_its_sizes_as_course_code_does() -> None:
    def initialize(n_a: int, n_x: int, n_y: int) -> dict[str, Array]:
        return {"W": np.zeros((n_a, n_a + n_x)), "Wy": np.zeros((n_y, n_a))}

    parameters = make_parameters(initialize, 5, 3)
    assert isinstance(parameters, dict)
    assert {name: value.shape for name, value in parameters.items()} == {"W": (3, 8), "Wy": (2, 3)}


def test_a_maker_of_a_usual_name_that_makes_nothing_does_not_keep_a_function_from_being_driven() -> None:
    convention = probe_target(load_target(f"{FILE.parent / 'function_with_a_maker.py'}:step")).convention
    assert (convention.sequence, convention.states) == (False, 1)
