"""A cell that is near a known one by a constant of its own is no coarse one; coarse arithmetic is refuted as before."""

from __future__ import annotations

import pytest
from torch import nn

import rnn_harness
from tests.helpers import near_cells

DEEP = pytest.mark.deep(
    "tests/unit/validation/test_near_match.py::test_a_constant_of_its_own_near_1_is_no_coarse_computation"
)


@pytest.mark.parametrize(
    "name",
    [
        "NormalisedElman",
        pytest.param("DampedGRU", marks=DEEP),
        pytest.param("NormalisedLSTM", marks=DEEP),
    ],
)
def test_a_constant_of_its_own_near_1_is_no_coarse_computation(name: str) -> None:
    validation = rnn_harness.validate(vars(near_cells)[name], examples=0, dtypes=("float64",))
    assert validation.outcome == "consistent", [r.reason for r in validation.checks if str(r.outcome) == "refuted"]


@pytest.mark.parametrize("name", ["CoarseWeightsGRU", "CoarseProductsGRU", "ApproximateElman"])
def test_coarse_weights_products_and_functions_lose_precision(name: str) -> None:
    cell: type[nn.Module] = vars(near_cells)[name]
    validation = rnn_harness.validate(cell, examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "effective precision" in validation.diagnosis.difference
