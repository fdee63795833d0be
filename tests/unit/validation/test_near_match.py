"""A cell that is near a known one by a constant of its own is no coarse one; coarse arithmetic is refuted as before."""

from __future__ import annotations

import pytest
from torch import nn

import rnn_harness
from tests.helpers import near_cells

pytestmark = pytest.mark.usefixtures("equations_alone")

DEEP = pytest.mark.deep(
    "tests/unit/validation/test_near_match.py::test_a_constant_of_its_own_near_1_is_no_coarse_computation"
)


@pytest.mark.parametrize(
    "name",
    [
        "NormalisedElman",
        pytest.param("DampedGRU", marks=DEEP),
        pytest.param("NormalisedLSTM", marks=DEEP),
        "CooledGRU",
        pytest.param("DampedLSTM", marks=DEEP),
        pytest.param("ShiftedGateGRU", marks=DEEP),
        pytest.param("ScaledOutputs", marks=DEEP),
    ],
)
def test_a_constant_of_its_own_near_1_is_no_coarse_computation(name: str) -> None:
    validation = rnn_harness.validate(vars(near_cells)[name], examples=0, dtypes=("float64",))
    assert validation.outcome == "consistent", [r.reason for r in validation.checks if str(r.outcome) == "refuted"]


@pytest.mark.parametrize(
    "name",
    [
        "CoarseWeightsGRU",
        "CoarseProductsGRU",
        "ApproximateElman",
        pytest.param("CoarseTemperatureGRU", marks=DEEP),
    ],
)
def test_coarse_weights_products_and_functions_lose_precision(name: str) -> None:
    cell: type[nn.Module] = vars(near_cells)[name]
    validation = rnn_harness.validate(cell, examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "effective precision" in validation.diagnosis.difference


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (
            "CooledGRU",
            "gru.write.concatenated but for a number of its own: 0.9995002499 multiplies the argument of every",
        ),
        pytest.param("DampedGRU", "gru.reset_after but for a number of its own: 0.9999 multiplies every", marks=DEEP),
        pytest.param("DampedLSTM", "1 is added to the forget gate;", marks=DEEP),
        pytest.param("DampedLSTM", "but for a number of its own: 0.9999 multiplies c[t-1]", marks=DEEP),
        pytest.param(
            "ScaledOutputs", "rnn.tanh but for a number of its own: 1.0001 multiplies the outputs", marks=DEEP
        ),
    ],
)
def test_the_number_by_which_a_cell_differs_from_a_known_one_is_told(name: str, number: str) -> None:
    validation = rnn_harness.validate(vars(near_cells)[name], examples=0, dtypes=("float64",))
    reasons = [check.reason for check in validation.checks if check.check == "identification.unique"]
    assert len(reasons) == 1
    assert number in reasons[0]


def test_a_leak_near_0_is_told_as_the_constant_of_the_cell_that_leaks() -> None:
    validation = rnn_harness.validate(near_cells.LeakyElman, examples=0, dtypes=("float64",))
    assert (validation.outcome, validation.spec) == ("agrees", "esn.leaky")
    assert validation.identification is not None
    assert "alpha = 0.9999" in validation.identification.sentence


@pytest.mark.parametrize("name", ["CooledGRU", pytest.param("DampedGRU", marks=DEEP)])
def test_a_number_of_its_own_is_refuted_where_the_equations_are_claimed(name: str) -> None:
    spec = {"CooledGRU": "gru.write.concatenated", "DampedGRU": "gru.reset_after"}[name]
    validation = rnn_harness.validate(vars(near_cells)[name], spec=spec, examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "multiplies" in validation.diagnosis.difference
