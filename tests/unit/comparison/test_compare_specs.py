"""Specs by their ids, and cells of several inputs, are compared like any other cell."""

from __future__ import annotations

import pytest
from torch import nn

import rnn_harness
from rnn_harness.comparison import compare as module
from rnn_harness.comparison.compare import compare_targets
from rnn_harness.errors import UsageError
from rnn_harness.validation.request import ValidationRequest
from tests.helpers.gap_cells import GapCell


def test_the_id_of_a_spec_is_compared_with_a_cell_and_with_another_id() -> None:
    assert rnn_harness.compare("rnn.tanh", nn.RNNCell).outcome == "same"
    narrow = rnn_harness.compare("indrnn.tanh", "rnn.tanh")
    assert narrow.conditions == ("rnn.tanh: W_h is diagonal",)


def test_a_text_that_is_no_spec_and_names_no_cell_is_wrong_use() -> None:
    with pytest.raises(UsageError, match=r"'rnn\.tan' names no class"):
        rnn_harness.compare("rnn.tan", nn.RNNCell)


def test_a_cell_of_several_inputs_is_the_same_as_its_spec_within_rounding() -> None:
    same = rnn_harness.compare(GapCell, "grud")
    assert same.outcome == "same"
    assert [row.dtype for row in same.left.precision] == ["float64", "float32"]


def test_cells_of_other_inputs_are_different_and_both_are_named() -> None:
    other = rnn_harness.compare("grud", "gru.keep.column")
    assert (other.outcome, other.sentence) == (
        "different",
        "they are two functions of different inputs: grud takes x, m, delta, l; gru.keep.column takes x",
    )


def test_shipped_specs_are_compared_without_a_process_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_worker(*_: object) -> None:
        raise AssertionError("a shipped spec needs no worker")

    monkeypatch.setattr(module, "describe_any_isolated", no_worker)
    monkeypatch.setattr(module, "run_isolated", no_worker)
    requests = ValidationRequest("indrnn.tanh"), ValidationRequest("rnn.tanh")
    assert compare_targets(*requests).included == "left"
