"""A cell that is near a known one by a constant of its own is no coarse one; coarse arithmetic is refuted as before."""

from __future__ import annotations

import pytest
from torch import nn

import rnn_harness
from tests.helpers import near_cells

OF_A_CONSTANT = (
    "tests/unit/validation/test_near_match.py::"
    "test_a_cell_with_a_constant_of_its_own_that_is_near_1_is_not_told_to_compute_coarsely"
)


@pytest.mark.parametrize(
    "name",
    [
        "NormalisedElman",
        pytest.param("DampedGRU", marks=pytest.mark.deep(OF_A_CONSTANT)),
        pytest.param("NormalisedLSTM", marks=pytest.mark.deep(OF_A_CONSTANT)),
    ],
)
def test_a_cell_with_a_constant_of_its_own_that_is_near_1_is_not_told_to_compute_coarsely(name: str) -> None:
    validation = rnn_harness.validate(vars(near_cells)[name], examples=0, dtypes=("float64",))
    assert validation.outcome == "consistent", [r.reason for r in validation.checks if str(r.outcome) == "refuted"]


@pytest.mark.parametrize("name", ["CoarseWeightsGRU", "CoarseProductsGRU", "ApproximateElman"])
def test_coarse_weights_products_and_functions_lose_precision(name: str) -> None:
    cell: type[nn.Module] = vars(near_cells)[name]
    validation = rnn_harness.validate(cell, examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "effective precision" in validation.diagnosis.difference
