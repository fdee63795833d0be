"""A headline carries what its interval carries: opposite measurements turn it round, overlapping ones take it back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rnn_harness.records.measurement import DecayMeasurement, LearningMeasurement, Measurement, SpeedMeasurement
from rnn_harness.reports.page.contents import build_contents
from rnn_harness.reports.page.document_statements import DocumentStatements
from rnn_harness.reports.page.page_verdict import answers, findings


def decay(
    subject: str,
    rate: float,
    spread: float | None = 0.01,
    initialisation: str = "torch",
    horizon: float | None = None,
) -> DecayMeasurement:
    """A factor per step with an interval of so much on either side; a horizon of ten steps around."""
    return DecayMeasurement(
        subject=subject,
        spec="x",
        initialisation=initialisation,
        agrees=True,
        sizes={"n": 16, "d": 128, "T": 1000},
        rate=rate,
        ci_low=None if spread is None else rate - spread,
        ci_high=None if spread is None else rate + spread,
        float32_horizon=horizon,
        float32_horizon_low=None if horizon is None else horizon - 5,
        float32_horizon_high=None if horizon is None else horizon + 5,
        lyapunov_exponent=0.0,
    )


def timed(subject: str, seconds: float, spread: float | None = 0.01, spec: str = "lstm.column") -> SpeedMeasurement:
    """A time with an interval of so much, relatively, on either side."""
    return SpeedMeasurement(
        subject=subject,
        spec=spec,
        phase="both",
        agrees=True,
        sizes={"n": 64, "d": 64, "B": 16, "T": 50},
        dtype="float32",
        median=seconds,
        ci_low=None if spread is None else seconds * (1 - spread),
        ci_high=None if spread is None else seconds * (1 + spread),
    )


def headline(section: str, measurements: Sequence[Measurement]) -> str:
    """What a section says first."""
    return findings(build_contents([], DocumentStatements(), measurements))[section]


def test_the_fastest_and_the_slowest_decay_change_places_with_their_measurements() -> None:
    text = headline("decay", [decay("RNN", 0.6), decay("LSTM", 0.9)])
    assert text == (
        "The gradient fades fastest in RNN, torch's default (0.600 [0.590, 0.610] per step), and slowest, of those "
        "whose factor per step is below 1 with 95 % confidence, in LSTM, torch's default (0.900 [0.890, 0.910] per "
        "step)."
    )
    turned = headline("decay", [decay("RNN", 0.9), decay("LSTM", 0.6)])
    assert turned == text.replace("RNN", "X").replace("LSTM", "RNN").replace("X", "LSTM")


def test_a_decay_says_which_intervals_overlap_with_its_own() -> None:
    rows = [decay("RNN", 0.6, 0.1), decay("GRU", 0.65), decay("LSTM", 0.9)]
    text = headline("decay", rows)
    assert "RNN, torch's default (0.600 [0.500, 0.700] per step), whose interval overlaps with that of GRU" in text
    assert "(0.900 [0.890, 0.910] per step)." in text
    many = [decay("RNN", 0.6, 0.1), *(decay(f"cell {k}", 0.65) for k in range(5))]
    assert "that of cell 2, torch's default and 2 more" in headline("decay", many)


def test_a_decay_whose_interval_reaches_one_or_is_missing_is_no_slowest_decay() -> None:
    rows = [decay("RNN", 0.6), decay("LSTM", 0.995, 0.01), decay("GRU", 0.99, None)]
    text = headline("decay", rows)
    assert "LSTM" not in text
    assert "GRU" not in text
    assert headline("decay", rows[1:]) == ""


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        pytest.param([timed("A", 1.0), timed("B", 2.0)], "A at 1", id="apart"),
        pytest.param([timed("A", 2.0), timed("B", 1.0)], "B at 1", id="the other way round"),
        pytest.param([timed("A", 1.0, 0.2), timed("B", 1.1)], "as fast within their intervals: A and B at 1", id="met"),
        pytest.param([timed("A", 1.0, None), timed("B", 2.0)], "as fast within their intervals: A and B at 1", id="no"),
        pytest.param(
            [timed("A", 1.0), timed("B", 2.0), timed("A", 1.0, 0.2, "rnn.tanh"), timed("B", 1.1, 0.2, "rnn.tanh")],
            "A at 1; as fast within their intervals: A and B at 1",
            id="apart at one size, met at another",
        ),
    ],
)
def test_the_fastest_implementation_is_one_whose_interval_lies_apart(rows: list[Measurement], text: str) -> None:
    sizes = len({row.spec for row in rows})
    assert headline("speed", rows) == f"The fastest implementation of forward and backward, of {sizes} sizes: {text}."


@pytest.mark.parametrize(
    ("rnn", "spread", "text"),
    [
        (1.0, 0.0625, "the RNN is 3.0 [2.6, 3.4] times as fast as the LSTM"),
        (9.0, 0.0625, "the LSTM is 3.0 [2.6, 3.4] times as fast as the RNN"),
        (2.5, 0.25, "the RNN is as fast as the LSTM within the intervals"),
        (1.0, None, ""),
    ],
)
def test_the_answer_about_speed_has_the_interval_of_its_ratio(rnn: float, spread: float | None, text: str) -> None:
    rows = [timed("A", rnn, spread, "rnn.tanh"), timed("A", 3.0, spread)]
    speed = [answer.sentence for answer in answers(build_contents([], DocumentStatements(), rows))]
    assert (text in speed[0]) if text else not speed


def test_the_longest_horizon_says_its_interval_and_what_reaches_as_far() -> None:
    def best(*rows: DecayMeasurement) -> str:
        return build_contents([], DocumentStatements(), rows).families[2].best

    near, far = decay("LSTM", 0.95, horizon=30), decay("LSTM", 0.9, initialisation="chrono", horizon=200)
    assert best(near, far) == "200 [195, 205] steps (chrono)", "the horizon decides, not the rate"
    turned = best(decay("LSTM", 0.95, horizon=300), far)
    assert turned == "300 [295, 305] steps (torch's default)"
    assert best(decay("LSTM", 0.95, horizon=202), far) == (
        "202 [197, 207] steps (torch's default; as far within the intervals: chrono)"
    )
    assert best(decay("LSTM", 0.999)) == "", "an interval that reaches 1 makes no headline"


@pytest.mark.parametrize(
    ("solved", "text"),
    [((3, 0), "RNN 0 and 0, GRU 1 and 1"), ((1, 0), "RNN 0 and 0, GRU 0 and 1"), ((0, 3), "RNN 1 and 1, GRU 0 and 0")],
)
def test_a_task_that_some_seeds_solve_is_not_counted_with_those_that_all_do(solved: tuple[int, int], text: str) -> None:
    base = {"task": "adding", "task_title": "t", "training_steps": 1, "median": 1.0, "chance": 1.0, "seeds": 3}
    base |= {"seconds": 1.0, "parameters": 1, "sizes": {"T": 5}, "spec": "x"}
    rows: list[Measurement] = [
        LearningMeasurement.model_validate({**base, "subject": subject, "seeds_solved": count})
        for subject, count in zip(("GRU", "RNN"), solved, strict=True)
    ]
    assert headline("learning", rows) == (
        f"Tasks solved by every seed of a learner, and by at least one, of 1: {text}, LSTM 0 and 0."
    )
