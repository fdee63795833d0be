"""The tasks mean what they say, chance is what it is said to be, and training is measured, not assumed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from rnn_harness.benchmarks.learning.gradient_rate import gradient_rate
from rnn_harness.benchmarks.learning.learner import LEARNERS, learners, set_biases
from rnn_harness.benchmarks.learning.tasks import (
    TASKS,
    adding_task,
    ahead_task,
    carry_task,
    copy_task,
    order_task,
    sentiment_task,
)
from rnn_harness.benchmarks.learning.train import measure_learning

RNG = np.random.default_rng


def test_adding_asks_for_the_sum_of_the_two_marked_numbers() -> None:
    x, y = adding_task(12).draw(RNG(0), 5)
    for row in range(5):
        marked = np.flatnonzero(x[:, row, 1])
        assert len(marked) == 2
        assert y[row, 0] == pytest.approx(x[marked, row, 0].sum())


def test_order_asks_which_symbol_came_first() -> None:
    x, y = order_task(30).draw(RNG(0), 50)
    for row in range(50):
        shown = [int(symbol) for symbol in x[:, row].argmax(1) if symbol < 2]
        assert y[row] == 2 * shown[0] + shown[1]
    assert set(order_task(30).draw(RNG(1), 500)[1]) == {0, 1, 2, 3}


def test_copy_asks_for_the_first_symbols_at_the_end() -> None:
    task = copy_task(10, 3)
    x, y = task.draw(RNG(0), 4)
    assert (y[-3:] == x[:3].argmax(2)).all()
    assert (y[:-3] == 8).all()
    assert x[-3].argmax(1).tolist() == [9] * 4


def test_ahead_asks_for_what_has_not_come_yet() -> None:
    x, y = ahead_task(6).draw(RNG(0), 3)
    assert (y[:-1] == (x[1:, :, 0] > 0)).all()
    assert (y[-1] == -1).all()


def test_only_both_directions_of_time_see_the_next_number() -> None:
    task = ahead_task(12)
    causal, both = (
        measure_learning(task, learner, 120, 2)
        for learner in learners(task, ("rnn",))
        if learner.name.startswith("RNN")
    )
    assert causal.median > task.chance - 0.02
    assert both.median < task.chance / 2
    assert causal.rate_before is not None
    assert both.rate_before is None


def test_the_forget_gates_bias_decides_how_far_a_fresh_lstm_sees() -> None:
    task = TASKS["adding"](40)
    rates = []
    for learner in (row for row in LEARNERS if row.family == "lstm"):
        torch.manual_seed(0)
        layer = torch.nn.LSTM(2, 16)
        set_biases(layer, learner, 40)
        rates.append(gradient_rate(layer, learner.family, task.input_size))
    assert rates == sorted(rates)
    assert rates[0] < 0.75 < 0.9 < rates[2]


@pytest.mark.parametrize("family", ["rnn", "gru", "lstm"])
def test_the_rate_is_that_of_torchs_own_gradients(family: str) -> None:
    """From lag 10 to lag 100, by torch's jacobian of the last state by every state before."""
    torch.manual_seed(1)
    layer_class = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[family]
    layer = layer_class(2, 6)
    rate = gradient_rate(layer, family, 2)
    layer = layer.double()
    length = math.isqrt(110)
    parts = [RNG([0, k]).standard_normal((min(length, 110 - s), 2)) for k, s in enumerate(range(0, 110, length))]
    x = torch.tensor(np.concatenate(parts))[:, None]

    def norm(lag: int) -> float:
        with torch.no_grad():
            state = layer(x[: 110 - lag])[1]
        states = state if isinstance(state, tuple) else (state,)

        def last(*states: torch.Tensor) -> torch.Tensor:
            return layer(x[110 - lag :], states if family == "lstm" else states[0])[0][-1]

        jacobians = torch.autograd.functional.jacobian(last, tuple(states))
        return math.sqrt(sum(float((jacobian**2).sum()) for jacobian in jacobians))

    assert rate == pytest.approx((norm(100) / norm(10)) ** (1 / 90), rel=1 / 2**20)


def test_sentiment_asks_as_the_documents_table_does() -> None:
    """000:227-229: cut mat mat 1, mat mat mat 0, mat cut cut 1."""
    x, y = sentiment_task(5).draw(RNG(0), 400)
    assert (y == (x[..., 0].max(0) > 0)).all()


def test_only_a_state_that_is_carried_brings_a_symbol_from_window_to_window() -> None:
    task = carry_task(15)
    x, y = task.draw(RNG(0), 6)
    assert (y[[4, 9, 14]] == x[3].argmax(1)).all()
    without, carried = (measure_learning(task, learner, 400, 1) for learner in learners(task, ("gru",)))
    assert without.subject == "GRU, stateless"
    assert without.median > task.chance - 0.02
    assert carried.median < task.chance / 2
