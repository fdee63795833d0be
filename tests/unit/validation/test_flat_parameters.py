"""Functions of one flat vector of parameters are driven by the parts that they cut it into."""

from __future__ import annotations

import pytest

from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.handwritten.watched_vector import Part, division, watched
from tests.helpers import HELPERS, flat_vectors

FILE = HELPERS / "flat_vectors.py"


def test_a_vector_notes_the_parts_that_are_taken_out_of_it() -> None:
    vector = watched(flat_vectors.init_theta())
    W, U, b = flat_vectors.parts(vector, flat_vectors.N_IN, flat_vectors.N_HID)
    _ = (W @ W.T, U[0], b * 2)
    assert division(vector) == [Part(0, (6, 4)), Part(24, (6, 6)), Part(60, (6,))]


def test_the_parts_of_a_flat_vector_are_its_parameters() -> None:
    target = load_target(f"{FILE}:forward,gradients")
    shapes = {name: tuple(value.shape) for name, value in target.make_module(5, 3).state_dict().items()}
    assert shapes == {"theta_1": (3, 5), "theta_2": (3, 3), "theta_3": (3,)}
    assert target.capabilities.no_gradients_reason is None


def test_a_flat_vector_of_one_size_is_cut_at_the_sizes_of_its_module() -> None:
    target = load_target(f"{FILE}:forward_of_one_size,gradients_of_one_size")
    assert target.capabilities.fixed_sizes == CellSizes(flat_vectors.N_IN, flat_vectors.N_HID)
    assert target.capabilities.no_gradients_reason is None


def test_gradients_that_run_forward_again_take_their_arguments_by_their_names() -> None:
    target = load_target(f"{FILE}:forward_of_dictionary,gradients_of_dictionary")
    assert target.capabilities.no_gradients_reason is None


@pytest.mark.deep("tests/unit/validation/test_flat_parameters.py::test_the_parts_of_a_flat_vector_are_its_parameters")
@pytest.mark.parametrize(
    ("pair", "outcome", "part"),
    [
        ("forward,gradients", "agrees", ""),
        ("forward,gradients_without_first_state", "refuted", "recurrent"),
        ("forward_of_one_size,gradients_of_one_size", "agrees", ""),
        ("forward_of_dictionary,gradients_of_dictionary", "agrees", ""),
    ],
)
def test_a_pair_on_one_vector_is_judged_by_the_equations(pair: str, outcome: str, part: str) -> None:
    target = load_target(f"{FILE}:{pair}")
    verdict = collect_validation(pair, run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    assert verdict.outcome == outcome
    assert part in str(verdict.diagnosis)
