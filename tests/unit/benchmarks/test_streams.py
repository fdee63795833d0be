"""Text and series have the probabilities that are claimed for them, so what can be reached is known."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_harness.benchmarks.learning.learner import learners
from rnn_harness.benchmarks.learning.series import covariance, draw_series, forecast_task, forecasts_task, linear_loss
from rnn_harness.benchmarks.learning.text import characters_task, text_source
from rnn_harness.benchmarks.learning.train import measure_learning

RNG = np.random.default_rng


def _written(steps: int, batch: int, seed: int) -> list[str]:
    """Texts as the task draws them: inputs, and the last target."""
    letters = text_source().alphabet
    x, y = characters_task(steps).draw(RNG(seed), batch)
    assert (x.argmax(2)[1:] == y[:-1]).all()
    return ["".join(letters[k] for k in (*x[:, row].argmax(1), y[-1, row])) for row in range(batch)]


def test_verbs_agree_with_the_noun_before_the_clause() -> None:
    for written in _written(200, 20, 0):
        for sentence in written.split(". ")[:-1]:
            words = sentence.split(" ")
            assert words[0] == "the"
            assert words[1].endswith("s") != words[-1].endswith("s")
            assert words[2:5] in ([], words[2:], ["that", "sees", "the"])


def test_a_model_comes_near_the_entropy_and_far_below_what_one_character_tells() -> None:
    task = characters_task(30)
    measurement = measure_learning(task, next(learners(task, ("lstm",))), 300, 1)
    assert task.best < measurement.median < (task.best + task.chance) / 2


def test_a_series_has_the_covariance_that_is_said() -> None:
    x = draw_series(RNG(0), 30, 40_000)[..., 0].astype(float)
    assert abs(x.mean()) < 0.005
    for lag in (0, 1, 4, 10):
        sample = float((x[: 30 - lag] * x[lag:]).mean())
        assert sample == pytest.approx(covariance(lag), abs=0.003)


@pytest.mark.parametrize("lag", [1, 5])
def test_the_best_line_is_no_worse_than_one_fitted_to_manydraw_series(lag: int) -> None:
    x = draw_series(RNG(1), 12 + lag, 60_000)[..., 0].astype(float)
    known, ahead = x[:12].T, x[11 + lag]
    fitted = np.linalg.lstsq(known, ahead, rcond=None)[0]
    assert float(((known @ fitted - ahead) ** 2).mean()) == pytest.approx(linear_loss(12, lag), rel=0.03)
    assert linear_loss(12, lag) < linear_loss(3, lag) < linear_loss(1, lag)


def test_forecasts_ask_for_the_values_that_come_next() -> None:
    x, y = forecast_task(8).draw(RNG(0), 3)
    assert x.shape == (8, 3, 1)
    assert y.shape == (3, 1)
    x, y = forecasts_task(8).draw(RNG(0), 3)
    assert y.shape == (8, 3, 10)
    assert (y[2, :, 0] == x[3, :, 0]).all()
    assert (y[0, :, 6] == x[7, :, 0]).all()


def test_the_documents_forecasting_model_learns_with_its_own_sizes() -> None:
    task = forecast_task(20)
    learner = next(learners(task, ("rnn",)))
    measurement = measure_learning(task, learner, 150, 1)
    assert measurement.sizes["d"] == 20
    assert measurement.sizes["layers"] == 2
    assert measurement.parameters == 1281 + 40  # torch has a second bias in each layer
    assert task.best < measurement.median < task.chance
    assert measurement.rate_before is None
