"""NumPy cells whose weights are not there when they are made are driven; so are those that keep their states."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_harness.errors import UsageError
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.loading.adapters.array_objects import made_with_weights
from rnn_harness.validation.loading.adapters.handwritten.steps_of_object import steps_of_object
from rnn_harness.validation.loading.adapters.handwritten.stored_arrays import stored_arrays
from tests.helpers import HELPERS, late_numpy

FILE = HELPERS / "late_numpy.py"


def _verdict(name: str) -> tuple[str, str]:
    target = load_target(f"{FILE}:{name}")
    verdict = collect_validation(name, run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    return verdict.outcome, verdict.diagnosis.sentence() if verdict.diagnosis else verdict.spec


@pytest.mark.parametrize("name", ["KeepsItsStates", "MadeInForward", "BuiltLater"])
def test_weights_are_made_and_nothing_is_left_behind_but_them(name: str) -> None:
    made = made_with_weights(getattr(late_numpy, name)(3), 5)
    arrays = stored_arrays(made)
    assert {value.shape for value in arrays.values()} >= {(5, 3), (3, 3)}
    assert not any(2 in value.shape for value in arrays.values())  # two rows were tried
    assert "forward" not in vars(made)


def test_an_object_is_called_step_by_step_from_the_same_state() -> None:
    cell = made_with_weights(late_numpy.KeepsItsStates(3), 5)
    steps = steps_of_object(cell, "forward", "backward", 5)
    assert steps is not None
    xs = np.random.default_rng(0).standard_normal((4, 2, 5))
    outputs = steps.forward(xs)
    assert outputs.shape == (4, 2, 3)
    weights = cell.parameters
    second = np.tanh(outputs[0] @ weights["Waa"] + xs[1] @ weights["Wax"] + weights["ba"].T)
    np.testing.assert_allclose(outputs[1], second)


def test_an_object_without_a_state_of_its_own_is_no_stream_of_steps() -> None:
    cell = made_with_weights(late_numpy.MadeInForward(3), 5)
    assert steps_of_object(cell, "forward", "", 5) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("KeepsItsStates", ("agrees", "rnn.tanh")),
        ("MadeInForward", ("agrees", "rnn.tanh")),
        ("BuiltLater", ("agrees", "rnn.tanh")),
    ],
)
def test_right_cells_whose_weights_are_made_late_agree(name: str, expected: tuple[str, str]) -> None:
    assert _verdict(name) == expected


def test_a_wrong_backward_of_single_steps_is_refuted() -> None:
    outcome, sentence = _verdict("TransposeForgotten")
    assert outcome == "refuted"
    assert "the gradients of the state are wrong" in sentence


def test_a_layer_with_optimisers_is_judged_by_the_steps_that_they_take() -> None:
    assert _verdict("HandedAnOptimiser")[0] == "consistent"
    outcome, sentence = _verdict("InputWithoutFuture")
    assert outcome == "refuted"
    assert "the gradients of the input are not the slopes of its own outputs" in sentence


class _Empty:
    def forward(self, x: object) -> object:
        return x


def test_an_object_that_nothing_gives_weights_is_told_with_the_lines_that_help() -> None:
    from rnn_harness.validation.loading.target import target_of

    with pytest.raises(UsageError, match=r"no method like build\(\) or initialize\(\)[^$]*def make_cell"):
        target_of("cell", _Empty)
