"""Cells that are given times, some of whose parameters show only where these are other than 1."""

from __future__ import annotations

import pytest
from torch import nn

from rnn_harness.validation import ValidationRequest, collect_validation, run_validation
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.identification.time_steps import needs_other_time_steps
from rnn_harness.validation.loading.target import target_of
from tests.helpers import discounted_memories as cells


@pytest.mark.parametrize(
    ("cell", "dtype", "outcome"),
    [
        (cells.DiscountsByIntervals, "float64", "consistent"),
        pytest.param(
            cells.DiscountsByTimes,
            "float32",
            "consistent",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_time_steps.py::"
                "test_an_lstm_whose_memory_is_discounted_by_time_is_another_cell"
            ),
        ),
        (cells.DiscountsWithoutGradient, "float64", "refuted"),
        (cells.ForgetsItsDiscount, "float64", "agrees"),
    ],
    ids=["by intervals", "by times", "without a gradient", "never"],
)
def test_an_lstm_whose_memory_is_discounted_by_time_is_another_cell(
    cell: type[nn.Module], dtype: str, outcome: str
) -> None:
    target = target_of("cell", cell)
    assert needs_other_time_steps(probe_target(target)) is (outcome != "agrees")
    validation = collect_validation("cell", run_validation(target, ValidationRequest(dtypes=(dtype,), examples=0)))
    assert validation.outcome == outcome, [r.reason for r in validation.checks if str(r.outcome) == "refuted"]


@pytest.mark.parametrize(
    ("cell", "outcome"), [(cells.StepsByTime, "consistent"), (cells.StepsByTimeDetached, "refuted")]
)
def test_a_time_for_each_row_is_handed_over_where_a_number_of_the_step_does_not_fit(
    cell: type[nn.Module], outcome: str
) -> None:
    target = target_of("cell", cell)
    assert str(probe_target(target).convention) == "called with one step, and one state, with time steps of 1"
    request = ValidationRequest(dtypes=("float64",), examples=0)
    assert collect_validation("cell", run_validation(target, request)).outcome == outcome
