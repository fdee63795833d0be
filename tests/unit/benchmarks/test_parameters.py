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
    counts = list(measure_parameters())
    assert [row.subject for row in counts if not row.agrees] == []
    assert sum(row.origin == "paper" for row in counts) == 15
    against = {row.subject: row.reason for row in counts}
    assert "torch" in against["lstm.stacked"]
    assert "the reference's arrays" in against["gru.bidirectional"]


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda published: published.source)
def test_published_count(published: PublishedCount) -> None:
    assert published.computed == published.printed


def test_a_wrong_formula_would_be_seen() -> None:
    """The gates' biases, left out, are not made up for by anything else."""
    assert hochreiter_count(7, 7, 4, 1, 0) != 264


def test_the_hidden_size_of_an_equal_count_is_the_nearest() -> None:
    lstm, gru = library().spec("lstm.column"), library().spec("gru.reset_after")
    total = count_parameters(lstm, {"n": 64, "d": 64, "k": 1})
    d = nearest_hidden_size(gru, 64, total)
    distances = [abs(count_parameters(gru, {"n": 64, "d": d + k, "k": 1}) - total) for k in (-1, 0, 1)]
    assert distances[1] == min(distances)


def test_the_documents_two_forecasting_models_have_1281_and_1470_parameters() -> None:
    counts = list(model_counts())
    assert [row.count for row in counts] == [1281, 1470]
    assert all(row.agrees for row in counts), [row.reason for row in counts]
    assert all("torch" in row.reason for row in counts)
