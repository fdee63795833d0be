"""Trainings where the gradient explodes: their losses are those of torch, and decide C-085 in each way."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnn_harness.benchmarks.decay import exploding_training
from rnn_harness.benchmarks.decay.exploding_training import train_unclipped
from rnn_harness.benchmarks.decay.initialisation import find_initialisation
from rnn_harness.benchmarks.decay.measure import measure_decay
from rnn_harness.records.measurement import parse_measurement
from rnn_harness.references import get_reference
from rnn_harness.reports.page.measured_claims import MEASURED_CLAIMS


@pytest.mark.parametrize(
    ("initialisation", "lengths", "verdict"),
    [
        pytest.param("gain-3", (100,), "false", id="a gradient of 10^13 over 100 steps: false"),
        pytest.param("gain-3", (400,), "true", id="a gradient beyond float32 over 400 steps: true"),
        pytest.param("gain-3", (100, 400), "depends", id="both lengths: it depends"),
        pytest.param("orthogonal", (100, 400), None, id="a gradient that does not grow says nothing"),
    ],
)
def test_trainings_decide_whether_the_loss_shows_that_a_gradient_explodes(
    initialisation: str, lengths: tuple[int, ...], verdict: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnn_harness.benchmarks.decay.measure.TRAINED_LENGTHS", lengths)
    measurement = measure_decay("RNN", initialisation, 100, 64, 3)
    decided = MEASURED_CLAIMS["loss where it explodes"]([measurement])
    assert (decided.verdict if decided else None) == verdict
    written = parse_measurement(measurement.model_dump(mode="json"))
    assert MEASURED_CLAIMS["loss where it explodes"]([written]) == decided, "a loss that is no number is not kept"


def test_the_losses_of_a_training_are_those_of_torch() -> None:
    import torch

    n, d, steps = 3, 5, 12
    cell, initial = get_reference("rnn"), find_initialisation("gain-1.5")
    trained = train_unclipped(cell, initial, n, d, steps)
    rng = np.random.default_rng(0)
    weights = {name: torch.tensor(value.astype(np.float32)) for name, value in initial.draw(cell, n, d, rng).items()}
    weights["V"] = torch.tensor(rng.uniform(-(d**-0.5), d**-0.5, (2, d)).astype(np.float32))
    x = torch.tensor((initial.input_scale * rng.standard_normal((steps, 8, n))).astype(np.float32))
    classes = torch.tensor(rng.integers(0, 2, 8))
    norms, losses = [], []
    for value in weights.values():
        value.requires_grad_()
    for _ in range(trained.training_steps + 1):
        h = torch.zeros(8, d)
        for inputs in x:
            h = torch.tanh(inputs @ weights["W_x"].T + h @ weights["W_h"].T + weights["b"])
        loss = torch.nn.functional.cross_entropy(h @ weights["V"].T, classes)
        slopes = dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))
        losses.append(float(loss.detach()))
        norms.append(math.hypot(*(float(slopes[name].norm()) for name in ("W_x", "W_h", "b"))))
        with torch.no_grad():
            for name, value in weights.items():
                value -= 0.1 * slopes[name]
    assert trained.first_loss == pytest.approx(losses[0], rel=1e-5)
    assert trained.last_loss == pytest.approx(losses[-1], rel=1e-4)
    assert trained.last_loss != pytest.approx(trained.first_loss, rel=1e-2)
    assert trained.log10_gradient == pytest.approx(math.log10(norms[0]), abs=1e-4)


def test_a_training_ends_where_its_loss_is_no_number() -> None:
    trained = train_unclipped(get_reference("rnn"), find_initialisation("gain-3"), 16, 64, 400)
    assert (trained.training_steps, trained.log10_gradient) == (1, None)
    assert trained.last_loss is None
    assert math.isfinite(trained.first_loss)
    assert {100, 400} <= set(exploding_training.TRAINED_LENGTHS)
