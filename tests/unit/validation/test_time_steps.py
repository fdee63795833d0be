"""Cells some of whose parameters show only where the time between steps is another than 1."""

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
        (cells.DiscountsByTimes, "float32", "consistent"),
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
