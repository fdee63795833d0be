"""Closed forms of parameter counts, and the counts that papers print."""

from __future__ import annotations

import pytest

from rnn_harness.benchmarks.closed_form import closed_form, count_parameters, nearest_hidden_size
from rnn_harness.benchmarks.parameters import measure_parameters, model_counts
from rnn_harness.benchmarks.published_counts import PUBLISHED, PublishedCount, hochreiter_count
from rnn_harness.specs import library


@pytest.mark.parametrize(
    ("spec", "form"),
    [
        ("rnn.tanh", "d*(d + n + 1)"),
        ("gru.keep.column", "3*d*(d + n + 1)"),
        ("gru.reset_after", "d*(3*d + 3*n + 4)"),
        ("gru.write.004", "3*d*(d + n + 1)"),
        ("lstm.column", "4*d*(d + n + 1)"),
        ("lstm.peephole", "d*(7*d + 4*n + 4)"),
        ("lstm.stacked", "4*d*(L - 1)*(2*d + 1) + 4*d*(d + n + 1)"),
    ],
)
def test_closed_form(spec: str, form: str) -> None:
    assert str(closed_form(library().spec(spec))) == form


def test_everything_that_is_counted_agrees_with_whoever_counts_too() -> None:
    found = list(measure_parameters())
    assert [one.subject for one in found if not one.agrees] == []
    assert sum(one.origin == "paper" for one in found) == 15
    against = {one.subject: one.reason for one in found}
    assert "torch" in against["lstm.stacked"]
    assert "the reference's arrays" in against["gru.bidirectional"]


@pytest.mark.parametrize("one", PUBLISHED, ids=lambda one: one.source)
def test_published_count(one: PublishedCount) -> None:
    assert one.computed == one.printed


def test_a_wrong_formula_would_be_seen() -> None:
    """The gates' biases, left out, are not made up for by anything else."""
    assert hochreiter_count(7, 7, 4, 1, 0) != 264


def test_the_hidden_size_of_an_equal_count_is_the_nearest() -> None:
    lstm, gru = library().spec("lstm.column"), library().spec("gru.reset_after")
    total = count_parameters(lstm, {"n": 64, "d": 64, "k": 1})
    d = nearest_hidden_size(gru, 64, total)
    own = [abs(count_parameters(gru, {"n": 64, "d": d + k, "k": 1}) - total) for k in (-1, 0, 1)]
    assert own[1] == min(own)


def test_the_documents_two_forecasting_models_have_1281_and_1470_parameters() -> None:
    found = list(model_counts())
    assert [one.count for one in found] == [1281, 1470]
    assert all(one.agrees for one in found), [one.reason for one in found]
    assert all("torch" in one.reason for one in found)
