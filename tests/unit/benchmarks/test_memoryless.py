"""What a model without a memory can reach, in closed form, is what one that is fitted to drawn sequences reaches."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.benchmarks.learning.series import linear_loss, memoryless_loss
from rnn_harness.benchmarks.learning.task import Batch, Task
from rnn_harness.benchmarks.learning.tasks import TASKS

STEPS = {"sentiment": 5, "carry": 20, "characters": 40, "order": 20, "forecasts": 12}
DRAWN = 20_000


def _codes(task: Task, inputs: Array) -> IndexArray:
    """What a model without a memory knows at every step, as a number: the input, in cells where it is continuous."""
    if task.window:  # all that came in this window
        codes = np.zeros(inputs.shape[:2], dtype=np.intp)
        for step, symbols in enumerate(inputs.argmax(axis=2)):
            past = codes[step - 1] if step % task.window else 0
            codes[step] = past * (task.input_size + 1) + symbols + 1
        return codes
    if set(np.unique(inputs)) <= {0, 1}:
        return np.asarray(inputs.argmax(axis=2), dtype=np.intp)
    codes = np.zeros(inputs.shape[:2], dtype=np.intp)
    for feature in np.moveaxis(inputs, 2, 0):
        codes = codes * 50 + np.clip(np.floor((feature + 1) * 25).astype(np.intp), 0, 49)
    return codes


def _fitted_loss(task: Task, batch: Batch) -> float:
    """The loss of the best table from what is known at a step to the answer, fitted to these very sequences."""
    codes = _codes(task, batch.inputs)
    codes = codes.ravel() if task.asks_every_step else codes[-1]
    _, codes = np.unique(codes, return_inverse=True)
    if task.asks_numbers:
        targets = batch.targets.astype(np.float64).reshape(len(codes), -1)
        counts = np.bincount(codes)
        means = np.stack([np.bincount(codes, column) / counts for column in targets.T], axis=1)
        return float(((targets - means[codes]) ** 2).mean())
    classes = batch.targets.ravel()
    asked = classes >= 0
    table = np.zeros((codes.max() + 1, task.output_size))
    np.add.at(table, (codes[asked], classes[asked]), 1)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    return float(-(table[table > 0] * np.log(shares[table > 0])).sum() / asked.sum())


@pytest.mark.parametrize("name", TASKS)
def test_the_least_loss_without_a_memory_is_that_of_a_fitted_table(name: str) -> None:
    task = TASKS[name](STEPS.get(name, 20))
    drawn = max(2000, DRAWN // (task.steps if task.asks_every_step else 1))
    losses = [_fitted_loss(task, task.draw(np.random.default_rng(seed), drawn)) for seed in range(2)]
    assert float(np.mean(losses)) == pytest.approx(task.chance, rel=0.015), losses


@pytest.mark.parametrize(
    ("name", "steps", "loss"),
    [("adding", 20, 0.1583), ("sentiment", 5, 0.3313), ("copy", 20, 0.7070)],
)
def test_the_numbers_that_the_ledger_corrects(name: str, steps: int, loss: float) -> None:
    assert round(TASKS[name](steps).chance, 4) == loss


def test_a_guess_that_is_no_straight_line_is_better_than_the_best_line() -> None:
    for lag in (1, 5, 10):
        assert 0.9 * linear_loss(1, lag) < memoryless_loss(lag) < linear_loss(1, lag)


def test_no_text_is_read_with_less_than_the_least_loss() -> None:
    """The surprise of drawn texts, by the probabilities of their sentences, is the best loss."""
    task = TASKS["characters"](40)
    from rnn_harness.benchmarks.learning.text import text_source

    source = text_source()
    letters = source.alphabet
    x, y = task.draw(np.random.default_rng(5), 500)
    total = 0.0
    for row in range(x.shape[1]):
        text = "".join(letters[k] for k in (*x[:, row].argmax(1), y[-1, row]))
        start = 0
        for position in range(1, len(text)):
            read = text[start:position]
            if read in source.sentences:
                start, read = position, ""
            fits = [(p, s) for p, s in zip(source.probabilities, source.sentences, strict=True) if s.startswith(read)]
            goes_on = sum(p for p, s in fits if s.startswith(read + text[position]))
            total -= math.log(goes_on / sum(p for p, _ in fits))
    assert total / y.size == pytest.approx(task.best, rel=0.05)
